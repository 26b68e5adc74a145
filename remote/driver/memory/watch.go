package memory

import (
	"context"
	"iter"
	"time"

	"ferry/remote"
)

// A watch is a caller of Watch.
type watch struct {
	untold []remote.Change // guarded by Remote.mu
	wake   chan struct{}   // holds something when there is something untold
}

// maxUntold is how many changes are kept for a caller that is slow to take them. When there are
// more, everything has changed.
const maxUntold = 1000

// Watch implements remote.Watcher.
func (r *Remote) Watch(ctx context.Context, _ time.Duration) iter.Seq2[remote.Change, error] {
	return func(yield func(remote.Change, error) bool) {
		w := &watch{untold: []remote.Change{remote.Everything()}, wake: make(chan struct{}, 1)}
		w.wake <- struct{}{}
		r.mu.Lock()
		r.watches[w] = struct{}{}
		r.mu.Unlock()
		defer func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			delete(r.watches, w)
		}()
		for {
			select {
			case <-w.wake:
			case <-ctx.Done():
			}
			if ctx.Err() != nil {
				yield(remote.Change{}, remote.Fail("watch", ".", context.Cause(ctx)))
				return
			}
			for _, c := range r.takeUntold(w) {
				if !yield(c, nil) {
					return
				}
			}
		}
	}
}

func (r *Remote) takeUntold(w *watch) []remote.Change {
	r.mu.Lock()
	defer r.mu.Unlock()
	untold := w.untold
	w.untold = nil
	return untold
}

// tell notes c for all who watch.
// LOCKS_REQUIRED(r.mu)
func (r *Remote) tell(c remote.Change) {
	for w := range r.watches {
		if len(w.untold) >= maxUntold {
			w.untold = []remote.Change{remote.Everything()}
		} else {
			w.untold = append(w.untold, c)
		}
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

// tellChanged tells that n is where it is, as it is.
// LOCKS_REQUIRED(r.mu)
func (r *Remote) tellChanged(n *node) {
	below := len(n.entries) > 0
	if len(r.watches) > 0 {
		r.tell(remote.Change{Name: n.path(), Dir: n.isDir(), Below: below, Version: n.entry(n.name).Version})
	}
}

// tellRemoved tells that n is not where it was.
// LOCKS_REQUIRED(r.mu)
func (r *Remote) tellRemoved(n *node) {
	below := len(n.entries) > 0
	if len(r.watches) > 0 {
		r.tell(remote.Change{Name: n.path(), Dir: n.isDir(), Below: below, Removed: true})
	}
}
