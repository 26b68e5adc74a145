package onedrive

import "time"

// ClockWatchedFor has r know the clock for that long.
func (r *Remote) ClockWatchedFor(d time.Duration) { r.ages.Began(time.Now().Add(-d)) }
