// Package watches makes one watch of those of several remotes, for the remote that is made of them.
package watches

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"ferry/remote"
)

// An Upstream is one of the remotes.
type Upstream struct {
	Remote remote.Remote
	Name   string // for errors, as a path of the remote that is made of them
	// Tell returns what a change of the upstream is in the whole.
	Tell func(remote.Change) []remote.Change
}

// Merge yields the changes of all upstreams. It begins when all have begun that tell of changes,
// and ends when one of them does; what changes in the others is not told. Where none tells anything
// it is remote.ErrUnsupported; with every set, where one of them does not.
func Merge(ctx context.Context, interval time.Duration, every bool, all []Upstream) iter.Seq2[remote.Change, error] {
	return func(yield func(remote.Change, error) bool) {
		own, cancel := context.WithCancel(ctx)
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		told := make(chan news)
		for i := range all {
			wg.Go(func() { all[i].watch(own, interval, told) })
		}
		m := merger{pending: len(all), every: every}
		for {
			select {
			case n := <-told:
				changes, err := m.add(n)
				if err != nil {
					yield(remote.Change{}, err)
					return
				}
				for _, c := range changes {
					if !yield(c, nil) {
						return
					}
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
	every   bool
}

// add returns what is to be told because of n. What comes before all have begun is part of
// everything, which is told then.
func (m *merger) add(n news) ([]remote.Change, error) {
	switch {
	case n.first && errors.Is(n.err, remote.ErrUnsupported):
		if m.pending--; m.every {
			return nil, remote.Renamed("watch", ".", remote.ErrUnsupported)
		}
	case n.err != nil:
		return nil, remote.Renamed("watch", n.up.Name, n.err)
	case n.first:
		m.pending--
		m.begun++
	case m.pending == 0:
		return n.up.Tell(n.change), nil
	default:
		return nil, nil
	}
	switch {
	case m.pending > 0:
		return nil, nil
	case m.begun == 0:
		return nil, remote.Renamed("watch", ".", remote.ErrUnsupported)
	}
	return []remote.Change{remote.Everything()}, nil
}
