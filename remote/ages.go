package remote

import (
	"sync"
	"time"
)

// Ages decides which files are old enough to be removed, without trusting the clock. With a clock
// that is ahead, or is set ahead while the process runs, everything would be removed at once; with
// one that is set back, a file dated in the future would stay for ever. The zero value is ready to
// use.
type Ages struct {
	mu     sync.Mutex
	began  time.Time           // guarded by mu; time of the first call of Exceed
	future map[int64]time.Time // guarded by mu; future time -> when Exceed first saw it
}

// agesGrace is how long after the first call nothing is too old: by then a clock that is wrong when
// the machine starts has been corrected.
const agesGrace = time.Hour

// maxFuture bounds memory: when the map has this many entries, it is cleared.
const maxFuture = 10_000

// Exceed reports whether a file last changed at the time changed is certainly older than limit. A
// time in the future counts as the time when Exceed first saw it. Nothing is too old within an hour
// of the first call, or within half of limit if that is less.
func (a *Ages) Exceed(changed time.Time, limit time.Duration) bool {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.began.IsZero() {
		a.began = now
	}
	return a.exceed(now.Round(0), now.Sub(a.began), changed, limit)
}

// Began sets the time of the first call to then.
func (a *Ages) Began(then time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.began = then
}

// exceed is Exceed at the clock time wall, passed after the first call.
// LOCKS_REQUIRED(a.mu)
func (a *Ages) exceed(wall time.Time, passed time.Duration, changed time.Time, limit time.Duration) bool {
	steady := a.began.Round(0).Add(passed) // the clock if it had not been set
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

// firstSeen records a query for a time in the future, and returns when it was first made.
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
