package feed

import (
	"context"
	"sync"
	"time"

	"ferry/remote"
)

// maxPending is how many changes are kept for a watch that is slow to take them. Of more all that
// is told is that everything may have changed.
const maxPending = 16 << 10

// watching is a watch of one remote.
type watching struct {
	namer remote.ObjectNamer
	wake  chan struct{} // holds one when there is something to do

	mu      sync.Mutex
	began   bool            // guarded by mu; everything was told once
	all     bool            // guarded by mu; everything may have changed
	pending []remote.Change // guarded by mu; in their order
	missing map[*Feed]bool  // guarded by mu; feeds that do not listen
}

func newWatching(namer remote.ObjectNamer) *watching {
	return &watching{namer: namer, wake: make(chan struct{}, 1), missing: map[*Feed]bool{}}
}

// add adds changes to what is to be told.
func (w *watching) add(changes ...remote.Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.all && w.began {
		w.pending = append(w.pending, changes...)
	}
	if len(w.pending) > maxPending {
		w.everything()
	}
	w.signal()
}

// everything replaces what is to be told.
// LOCKS_REQUIRED(w.mu)
func (w *watching) everything() { w.all, w.began, w.pending = true, true, nil }

func (w *watching) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// begun notes that a feed of buckets listens.
func (w *watching) begun(buckets []string, missed bool) {
	w.mu.Lock()
	first := !w.began
	if first {
		w.everything()
	}
	w.signal()
	w.mu.Unlock()
	if missed && !first {
		w.gap(buckets)
	}
}

// gap notes that anything in some buckets may have changed; in all that there are, if none is
// named.
func (w *watching) gap(buckets []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(buckets) == 0 || !w.began {
		w.everything()
	}
	for _, bucket := range buckets {
		name, ok := w.namer.ObjectName(bucket, "")
		switch {
		case !ok || w.all:
		case name == ".":
			w.everything()
		default:
			w.pending = append(w.pending, remote.Change{Name: name, Dir: true, Below: true})
		}
	}
	w.signal()
}

// away notes whether a feed does not listen.
func (w *watching) away(f *Feed, is bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if is {
		w.missing[f] = true
	} else {
		delete(w.missing, f)
	}
	w.signal()
}

// next waits for something to tell. While a feed is away that is everything, every AwayTime.
func (w *watching) next(ctx context.Context) ([]remote.Change, error) {
	timer := time.NewTimer(AwayTime)
	defer timer.Stop()
	for {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if changes := w.take(); len(changes) > 0 {
			return changes, nil
		}
		select {
		case <-ctx.Done():
		case <-w.wake:
		case <-timer.C:
			w.mu.Lock()
			if len(w.missing) > 0 {
				w.everything()
			}
			w.mu.Unlock()
			timer.Reset(AwayTime)
		}
	}
}

// take returns what is to be told now.
func (w *watching) take() []remote.Change {
	w.mu.Lock()
	defer w.mu.Unlock()
	changes := w.pending
	if w.all {
		changes = []remote.Change{remote.Everything()}
	}
	w.all, w.pending = false, nil
	return changes
}
