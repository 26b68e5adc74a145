package combine

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"ferry/remote"
)

// Watch implements remote.Watcher. It begins when all upstreams have begun that tell of changes,
// and ends when one of them does; what changes in the others is not told. Where none tells anything
// it is ErrUnsupported.
func (r *Remote) Watch(ctx context.Context, interval time.Duration) iter.Seq2[remote.Change, error] {
	return func(yield func(remote.Change, error) bool) {
		own, cancel := context.WithCancel(ctx)
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		told := make(chan news)
		for i := range r.upstreams {
			wg.Go(func() { r.upstreams[i].watch(own, interval, told) })
		}
		m := merger{pending: len(r.upstreams)}
		for {
			select {
			case n := <-told:
				c, tell, err := m.add(n)
				if tell && !yield(c, err) || err != nil {
					return
				}
			case <-ctx.Done():
				yield(remote.Change{}, remote.Renamed("watch", ".", context.Cause(ctx)))
				return
			}
		}
	}
}

// news is what an upstream tells.
type news struct {
	up     *Upstream
	first  bool
	change remote.Change
	err    error
}

// watch sends what u tells, until it ends or ctx does.
func (u *Upstream) watch(ctx context.Context, interval time.Duration, told chan<- news) {
	n := news{up: u, first: true}
	send := func() bool {
		select {
		case told <- n:
			n.first = false
			return true
		case <-ctx.Done():
			return false
		}
	}
	w, ok := remote.AsWatcher(u.Remote)
	if !ok {
		n.err = remote.ErrUnsupported
		send()
		return
	}
	for n.change, n.err = range w.Watch(ctx, interval) {
		if !send() {
			return
		}
	}
}

// A merger makes one watch of those of the upstreams.
type merger struct {
	pending int // upstreams that have not begun
	begun   int // upstreams that have
}

// add returns whether something is to be told because of n, and what. What comes before all have
// begun is part of everything, which is told then.
func (m *merger) add(n news) (c remote.Change, tell bool, err error) {
	switch {
	case n.first && errors.Is(n.err, remote.ErrUnsupported):
		m.pending--
	case n.err != nil:
		return c, true, remote.Renamed("watch", n.up.Dir, n.err)
	case n.first:
		m.pending--
		m.begun++
	case m.pending == 0:
		c = n.change
		c.Name = remote.Join(n.up.Dir, c.Name)
		if n.change.Name == "." {
			c.Name = n.up.Dir
		}
		return c, true, nil
	default:
		return c, false, nil
	}
	switch {
	case m.pending > 0:
		return c, false, nil
	case m.begun == 0:
		return c, true, remote.Renamed("watch", ".", remote.ErrUnsupported)
	}
	return remote.Everything(), true, nil
}
