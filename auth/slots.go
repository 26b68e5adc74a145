package auth

import (
	"context"
	"slices"
	"sync"
)

// slots bounds what runs at once. Who waits is served in order.
type slots struct {
	all int // constant

	mu      sync.Mutex
	free    int      // guarded by mu
	waiting []waiter // guarded by mu
}

type waiter struct {
	n       int
	granted chan struct{} // closed with the slots taken
}

func newSlots(n int) *slots { return &slots{all: n, free: n} }

// take waits for n slots, or all of them if there are fewer. It returns what gives them back.
func (s *slots) take(ctx context.Context, n int) (giveBack func(), err error) {
	n = min(n, s.all)
	s.mu.Lock()
	if len(s.waiting) == 0 && s.free >= n {
		s.free -= n
		s.mu.Unlock()
		return func() { s.give(n) }, nil
	}
	w := waiter{n, make(chan struct{})}
	s.waiting = append(s.waiting, w)
	s.mu.Unlock()
	select {
	case <-w.granted:
		return func() { s.give(n) }, nil
	case <-ctx.Done():
		s.leave(w)
		return nil, context.Cause(ctx)
	}
}

// leave takes a waiter out of the line. If it was served meanwhile it gives the slots back.
func (s *slots) leave(w waiter) {
	s.mu.Lock()
	i := slices.Index(s.waiting, w)
	if i >= 0 {
		s.waiting = slices.Delete(s.waiting, i, i+1)
		s.serve() // the next one may want less
	}
	s.mu.Unlock()
	if i < 0 {
		s.give(w.n)
	}
}

func (s *slots) give(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free += n
	s.serve()
}

// serve grants slots to those who have waited longest. LOCKS_REQUIRED(s.mu).
func (s *slots) serve() {
	for len(s.waiting) > 0 && s.waiting[0].n <= s.free {
		s.free -= s.waiting[0].n
		close(s.waiting[0].granted)
		s.waiting = slices.Delete(s.waiting, 0, 1)
	}
}
