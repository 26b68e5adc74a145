package network

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"ferry/remote"
)

// A Pace keeps all requests to a server back as long as it wants none. The zero value keeps none
// back. Its methods may be called concurrently.
type Pace struct {
	mu    sync.Mutex
	until time.Time // guarded by mu
}

// Wait returns when requests may be made. Its error is the cause of ctx.
func (p *Pace) Wait(ctx context.Context) error {
	for {
		p.mu.Lock()
		left := time.Until(p.until)
		p.mu.Unlock()
		if left <= 0 {
			return context.Cause(ctx)
		}
		if err := remote.Sleep(ctx, left); err != nil {
			return err
		}
	}
}

// Hold keeps requests back for d, or for longer if that was said before.
func (p *Pace) Hold(d time.Duration) {
	until := time.Now().Add(d)
	p.mu.Lock()
	defer p.mu.Unlock()
	if until.After(p.until) {
		p.until = until
	}
}

// longestAfter is what RetryAfter returns at most, so that no number overflows.
const longestAfter = 24 * time.Hour

// RetryAfter reads the value of a header Retry-After: seconds, or a date (RFC 9110 section 10.2.3).
// It reports whether there is one.
func RetryAfter(value string) (wait time.Duration, ok bool) {
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseFloat(value, 64); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, longestAfter.Seconds()) * float64(time.Second)), true
	}
	if date, err := http.ParseTime(value); err == nil {
		return min(max(time.Until(date), 0), longestAfter), true
	}
	return 0, false
}
