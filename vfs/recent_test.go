package vfs

import (
	"context"
	"io"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
	"ferry/writeback"
)

// blunt is a remote that knows no versions and counts time in whole seconds.
type blunt struct{ remote.Forward }

func (b blunt) Info() remote.Info {
	info := b.Forward.Info()
	info.Caps.CheapStat, info.Caps.ModTime = false, time.Second
	return info
}

func (b blunt) entry(e remote.Entry) remote.Entry {
	e.Version, e.Digest, e.ID, e.ModTime = "", "", 0, e.ModTime.Truncate(time.Second)
	return e
}

func (b blunt) Stat(ctx context.Context, name string) (remote.Entry, error) {
	e, err := b.Forward.Stat(ctx, name)
	return b.entry(e), err
}

func (b blunt) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	e, err := b.Forward.Put(ctx, name, body, o)
	return b.entry(e), err
}

func (b blunt) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		for e, err := range b.Forward.List(ctx, dir) {
			if !yield(b.entry(e), err) {
				return
			}
		}
	}
}

func (b blunt) Hash(context.Context, string, string) ([]byte, error) {
	return nil, remote.ErrUnsupported
}

// An append to what another client has replaced by a content as long, within the same second, is
// refused.
func TestAnAppendNoticesAContentThatLooksTheSame(t *testing.T) {
	for _, waits := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			b := newRig(t, writeback.Options{Mode: writeback.Writes})
			defer func() { b.stop() }()
			b.wrote.Forward = remote.Forward{Remote: blunt{remote.Forward{Remote: b.faults}}}
			b.restart()
			if waits {
				b.o.Cache.WriteBack = time.Millisecond
				b.restart()
			}
			b.upload("a", "1111")
			if !waits {
				b.flush()
			}
			u, err := b.Create(t.Context(), "a", AtEnd)
			b.ok(err)
			_, err = io.WriteString(u, "+")
			b.ok(err)
			b.flush()
			b.upload("a", "2222")
			b.flush()
			wantIs(t, u.Commit(t.Context()), remote.ErrChanged)
			b.flush()
			b.wantThere("a=2222")
		})
	}
}
