package onedrive

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"ferry/remote"
	"ferry/remote/network"
)

const (
	firstPause = 200 * time.Millisecond // where the service does not say how long to wait; then twice as long
	longPause  = 10 * time.Minute       // the longest that the service is believed
	logEvery   = time.Hour              // how often the log hears of it
)

// A throttle is what the service asked all calls of a remote to wait. The zero value is ready to
// use.
type throttle struct {
	network.Pace
	mu     sync.Mutex
	logged time.Time // guarded by mu
}

// hold makes all calls wait for d.
func (t *throttle) hold(ctx context.Context, d time.Duration) {
	t.Hold(d)
	now := time.Now()
	t.mu.Lock()
	say := now.Sub(t.logged) >= logEvery
	if say {
		t.logged = now
	}
	t.mu.Unlock()
	if say {
		remote.Warn(ctx, "onedrive asks for fewer requests: all wait as long as it says, this is logged once an hour", "wait", d.Round(time.Millisecond))
	}
}

// retryAfter reads how long an answer asks to wait; attempt counts from 0.
func retryAfter(value string, attempt int) time.Duration {
	if wait, ok := network.RetryAfter(value); ok {
		return min(wait, longPause)
	}
	longest := firstPause << min(attempt, 8)
	return longest/2 + rand.N(longest/2)
}

// tooMany reports whether an answer means that nothing was done as there are too many requests.
func tooMany(answer *http.Response) bool {
	const bandwidth = 509 // what SharePoint answers
	switch answer.StatusCode {
	case http.StatusTooManyRequests, bandwidth:
		return true
	case http.StatusServiceUnavailable: // of a gateway in between nobody knows whether it was done
		return answer.Header.Get("Retry-After") != "" || strings.Contains(answer.Header.Get("Content-Type"), "json")
	}
	return false
}
