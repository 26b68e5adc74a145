package cache

import "time"

// Headers say when something was done by a clock that may have been wrong, or is now. So ages are
// told by the clock of this process that nobody can set: a time of an earlier process is turned
// into one of that once, when it is read.

// anchored returns when something was done that an earlier process has noted for the time noted. A
// time that is still to come counts as now.
func anchored(noted time.Time) time.Time {
	now := time.Now()
	return now.Add(-max(now.Round(0).Sub(noted), 0))
}

// clockGrace is for how long after the start nothing is too old: a clock that is wrong when a
// machine starts is put right by then.
const clockGrace = time.Hour

// mayExpire reports whether the clock has had the time to be put right, for what expires after
// limit.
func (s *Store) mayExpire(now time.Time, limit time.Duration) bool {
	return limit > 0 && now.Sub(s.began) >= min(clockGrace, limit/2)
}

// expired reports whether a part is older than limit, also by what the clock says now: it may have
// been put right since the header was read.
func (pt *part) expired(now time.Time, limit time.Duration) bool {
	wall := now.Round(0).Sub(pt.info.ModTime)
	return now.Sub(pt.kept) > limit && (wall < 0 || wall > limit)
}
