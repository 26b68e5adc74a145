package announce

import (
	"context"
	"sync"

	"ferry/remote"
)

// maxWaiting is how many changes are kept for who is slow to take them, and for who cannot be
// reached. Of more it is told that everything may have changed.
const maxWaiting = 16 << 10

// A listener waits for changes of a remote.
type listener struct {
	of   *Remote
	wake chan struct{} // holds one when there is something to take

	mu      sync.Mutex
	all     bool            // guarded by mu; everything may have changed
	waiting []remote.Change // guarded by mu
}

func newListener(of *Remote) *listener { return &listener{of: of, wake: make(chan struct{}, 1)} }

// add adds changes to what is to be taken.
func (l *listener) add(changes ...remote.Change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range changes {
		switch {
		case c == remote.Everything() || len(l.waiting) >= maxWaiting:
			l.all, l.waiting = true, nil
		case !l.all:
			l.waiting = append(l.waiting, c)
		}
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// next waits for changes.
func (l *listener) next(ctx context.Context) ([]remote.Change, error) {
	for {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if taken := l.take(); len(taken) > 0 {
			return taken, nil
		}
		select {
		case <-l.wake:
		case <-ctx.Done():
		}
	}
}

func (l *listener) take() []remote.Change {
	l.mu.Lock()
	defer l.mu.Unlock()
	taken := l.waiting
	if l.all {
		taken = []remote.Change{remote.Everything()}
	}
	l.all, l.waiting = false, nil
	return taken
}

// join adds a listener.
func (x *Exchange) join(l *listener) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.joined[l] = struct{}{}
}

func (x *Exchange) leave(l *listener) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.joined, l)
}

// hand tells a change to who listens here, without the one that it is from.
// LOCKS_REQUIRED(x.mu)
func (x *Exchange) hand(from *Remote, n news) {
	for l := range x.joined {
		if l.of == from {
			continue
		}
		if c, ok := remote.ChangeAt(n.place, n.change, l.of.place); ok {
			l.add(c)
		}
	}
}

// LOCKS_REQUIRED(x.mu)
func (x *Exchange) everything() {
	for l := range x.joined {
		l.add(remote.Everything())
	}
}
