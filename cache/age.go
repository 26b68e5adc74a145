package cache

import "time"

// The times in headers come from a wall clock that may have been wrong, or may be wrong now. So
// ages are measured with the monotonic clock of this process: a time that an earlier process wrote
// is converted once, when it is read.

// anchored converts a wall-clock time written by an earlier process to one with a monotonic
// reading. A time in the future counts as now.
func anchored(noted time.Time) time.Time {
	now := time.Now()
	return now.Add(-max(now.Round(0).Sub(noted), 0))
}

// clockGrace is how long after the start nothing expires: a clock that is wrong at boot is
// corrected by then.
const clockGrace = time.Hour

// mayExpire reports whether things with a lifetime of limit may expire now: the clock has had time
// to be corrected.
func (s *Store) mayExpire(now time.Time, limit time.Duration) bool {
	return limit > 0 && now.Sub(s.began) >= min(clockGrace, limit/2)
}

// expired reports whether a part is older than limit, by the monotonic and by the wall clock: the
// wall clock may have been corrected since the header was read.
func (pt *part) expired(now time.Time, limit time.Duration) bool {
	wall := now.Round(0).Sub(pt.info.ModTime)
	return now.Sub(pt.kept) > limit && (wall < 0 || wall > limit)
}
