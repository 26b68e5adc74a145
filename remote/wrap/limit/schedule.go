package limit

import (
	"context"
	"sync"
	"time"
)

// A schedule gives everything that happens its time, one after the other.
type schedule struct {
	mu   sync.Mutex
	free time.Time // guarded by mu; everything before is taken
}

// wait takes cost off the schedule and returns when that is at most ahead of the clock: then ahead
// / cost things happen at once after a pause, and nothing before its time is over if ahead is 0.
func (s *schedule) wait(ctx context.Context, cost, ahead time.Duration) error {
	d := s.take(cost) - ahead
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		s.give(cost)
		return context.Cause(ctx)
	}
}

// take returns how far from now the time ends that was taken.
func (s *schedule) take(cost time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.free.Before(now) {
		s.free = now
	}
	s.free = s.free.Add(cost)
	return s.free.Sub(now)
}

// give returns time that was not used.
func (s *schedule) give(cost time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = s.free.Add(-cost)
}
