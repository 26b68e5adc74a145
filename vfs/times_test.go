package vfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"testing"
	"time"

	"ferry/disk/disktest"
	"ferry/remote"
	"ferry/remote/memory"
)

// narrow is a far side that keeps times from 1970 to 2106 only, and puts the nearest in the place
// of others.
type narrow struct {
	*memory.Remote
	says bool // without asking anybody
}

func (n narrow) keeps(t time.Time) bool { return t.Unix() >= 0 && t.Unix() < 1<<32 }

func (n narrow) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	if !n.keeps(o.ModTime) {
		o.ModTime = time.Unix(min(max(o.ModTime.Unix(), 0), 1<<32-1), 0)
	}
	return n.Remote.Put(ctx, name, body, o)
}

func (n narrow) SetModTime(ctx context.Context, name string, t time.Time) error {
	if !n.keeps(t) {
		return &fs.PathError{Op: "setmodtime", Path: name, Err: remote.ErrInvalid}
	}
	return n.Remote.SetModTime(ctx, name, t)
}

func (n narrow) CheckTime(name string, t time.Time) error {
	switch {
	case !n.says:
		return &fs.PathError{Op: "checktime", Path: name, Err: remote.ErrUnsupported}
	case !n.keeps(t):
		return &fs.PathError{Op: "checktime", Path: name, Err: remote.ErrInvalid}
	}
	return nil
}

// A file that waits is given the times that it will have on the remote, and no others.
func TestTheTimeOfWhatWaitsIsKeptOrRefused(t *testing.T) {
	for _, mode := range []CacheMode{CacheMinimal, CacheWrites, CacheFull} {
		for _, says := range []bool{true, false} {
			t.Run(fmt.Sprintf("%v, the remote says so %v", mode, says), func(t *testing.T) {
				b := newRigAt(t, Cache{Mode: mode, WriteBack: time.Hour}, &rig{
					disk: disktest.New(), far: func(m *memory.Remote) remote.Remote { return narrow{m, says} },
				})
				b.has("f", "one")
				b.send("f", " two", AtEnd) // in every mode it waits
				first := b.time("f")
				for _, want := range []time.Time{
					time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC),
				} {
					err := b.SetModTime(t.Context(), "f", want)
					var hint interface{ Hint() string }
					if !errors.Is(err, remote.ErrInvalid) || !errors.As(err, &hint) || hint.Hint() != hintBadTime {
						t.Errorf("%v: %v", want, err)
					}
					if got := b.time("f"); !got.Equal(first) {
						t.Errorf("%v: the file has another time, %v", want, got)
					}
				}
				for _, want := range []time.Time{
					time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1971, 1, 1, 0, 0, 0, 0, time.UTC),
					time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC),
				} {
					b.ok(b.SetModTime(t.Context(), "f", want))
					if got := b.time("f"); !got.Equal(want) {
						t.Errorf("the time is %v, want %v", got, want)
					}
				}
				if n := len(b.fs.Queue()); says && n != 1 {
					t.Errorf("%d files wait, although the remote need not be asked", n)
				}
				b.flush()
				b.wantThere("f=one two")
				e, err := b.inner.Stat(t.Context(), "f")
				b.ok(err)
				if want := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC); !e.ModTime.Equal(want) {
					t.Errorf("the remote has %v, want %v", e.ModTime, want)
				}
			})
		}
	}
}

// time is that of a file as it is shown.
func (b *rig) time(name string) time.Time {
	b.t.Helper()
	e, err := b.Stat(b.t.Context(), name)
	b.ok(err)
	return e.ModTime()
}
