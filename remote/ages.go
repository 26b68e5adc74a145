package remote

import (
	"sync"
	"time"
)

// Ages tells which files are old enough to be removed though no clock can be trusted: one that is
// ahead, or that is set ahead while the process runs, would have everything removed at once, and
// with one that is set back a file from what is now the future would stay. The zero value is ready.
type Ages struct {
	mu     sync.Mutex
	began  time.Time           // guarded by mu; when the first question came
	future map[int64]time.Time // guarded by mu; when a time was first asked for that was still to come
}

// agesGrace is for how long after the first question nothing is too old: a clock that is wrong when
// a machine starts is put right by then.
const agesGrace = time.Hour

// maxFuture bounds the memory. When they are that many, all are forgotten.
const maxFuture = 10_000

// Exceed reports whether what was last changed at the time changed is older than limit for sure. A
// time that is still to come counts as the one when it was first asked for. Nothing is too old
// until there have been questions for an hour, or for half of limit if that is less.
func (a *Ages) Exceed(changed time.Time, limit time.Duration) bool {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.began.IsZero() {
		a.began = now
	}
	return a.exceed(now.Round(0), now.Sub(a.began), changed, limit)
}

// Began has the Ages count as asked since then.
func (a *Ages) Began(then time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.began = then
}

// exceed is Exceed when the clock says wall, and so much time has passed since the first question.
// LOCKS_REQUIRED(a.mu)
func (a *Ages) exceed(wall time.Time, passed time.Duration, changed time.Time, limit time.Duration) bool {
	steady := a.began.Round(0).Add(passed) // what the clock would say if nobody had set it
	now := wall
	if steady.Before(wall) {
		now = steady
	}
	age := now.Sub(changed)
	if age < 0 {
		age = a.began.Add(passed).Sub(a.firstSeen(changed, a.began.Add(passed)))
	}
	return passed >= min(agesGrace, limit/2) && age > limit
}

// firstSeen notes that a time to come was asked for, and returns when that was done first.
// LOCKS_REQUIRED(a.mu)
func (a *Ages) firstSeen(changed, now time.Time) time.Time {
	key := changed.UnixNano()
	first, ok := a.future[key]
	if ok {
		return first
	}
	if a.future == nil || len(a.future) >= maxFuture {
		a.future = map[int64]time.Time{}
	}
	a.future[key] = now
	return now
}
