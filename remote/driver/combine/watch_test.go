package combine_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
	"ferry/remote/driver/memory"
)

// Watch implements remote.Watcher.
func (b below) Watch(ctx context.Context, interval time.Duration) iter.Seq2[remote.Change, error] {
	return func(yield func(remote.Change, error) bool) {
		for c, err := range b.r.(remote.Watcher).Watch(ctx, interval) {
			if c.Name == b.dir {
				c.Name = "."
			}
			c.Name = strings.TrimPrefix(c.Name, b.dir+"/")
			if !yield(c, err) {
				return
			}
		}
	}
}

// scripted is a remote that tells what it is told to.
type scripted struct {
	remote.Remote
	changes chan remote.Change // closed: it ends with err
	err     error
}

func newScripted() *scripted {
	return &scripted{Remote: memory.New(), changes: make(chan remote.Change)}
}

func (s *scripted) Watch(ctx context.Context, _ time.Duration) iter.Seq2[remote.Change, error] {
	return func(yield func(remote.Change, error) bool) {
		for {
			select {
			case c, ok := <-s.changes:
				if !ok {
					yield(remote.Change{}, s.err)
					return
				}
				if !yield(c, nil) {
					return
				}
			case <-ctx.Done():
				yield(remote.Change{}, ctx.Err())
				return
			}
		}
	}
}

func TestAWatchBeginsWhenAllUpstreamsHaveBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newScripted(), newScripted()
		r := newTree(t, up("a", a), up("silent", plain{memory.New()}), up("b", b))
		var told []remote.Change
		var end error
		go func() {
			for c, err := range r.(remote.Watcher).Watch(t.Context(), time.Minute) {
				if end = err; err == nil {
					told = append(told, c)
				}
			}
		}()
		var want []remote.Change
		for _, step := range []struct {
			from *scripted
			tell remote.Change
			want []remote.Change
		}{
			{a, remote.Everything(), nil},
			{a, remote.Change{Name: "early"}, nil},
			{b, remote.Everything(), []remote.Change{remote.Everything()}},
			{a, remote.Change{Name: "d/f", Removed: true}, []remote.Change{{Name: "a/d/f", Removed: true}}},
			{b, remote.Change{Name: "f", Version: "7"}, []remote.Change{{Name: "b/f", Version: "7"}}},
			{a, remote.Everything(), []remote.Change{{Name: "a", Dir: true, Below: true}}},
		} {
			step.from.changes <- step.tell
			synctest.Wait()
			if want = append(want, step.want...); !slices.Equal(told, want) {
				t.Errorf("told %+v, want %+v", told, want)
			}
		}
		b.err = errors.New("reset")
		close(b.changes)
		synctest.Wait()
		if !errors.Is(end, b.err) || !strings.Contains(end.Error(), "b: reset") {
			t.Errorf("it ends with %v", end)
		}
	})
}

func TestAWatchOfUpstreamsThatTellNothing(t *testing.T) {
	dumb := newScripted()
	dumb.err = remote.ErrUnsupported
	close(dumb.changes)
	r := newTree(t, up("a", plain{memory.New()}), up("b", dumb))
	n := 0
	for c, err := range r.(remote.Watcher).Watch(t.Context(), time.Minute) {
		if n++; !errors.Is(err, remote.ErrUnsupported) {
			t.Errorf("%+v, %v", c, err)
		}
	}
	if n != 1 {
		t.Errorf("%d changes", n)
	}
}
