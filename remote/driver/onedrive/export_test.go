package onedrive

import "time"

// ClockWatchedFor has r know the clock for that long.
func (r *Remote) ClockWatchedFor(d time.Duration) { r.ages.Began(time.Now().Add(-d)) }

// GapOf sets how long r waits for another process that replaces a file.
func (r *Remote) GapOf(d time.Duration) { r.gap = d }
