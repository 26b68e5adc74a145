package onedrive

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"ferry/remote"
)

const (
	firstPause = 200 * time.Millisecond // where the service does not say how long to wait; then twice as long
	longPause  = 10 * time.Minute       // the longest that the service is believed
	logEvery   = time.Hour              // how often the log hears of it
)

// A throttle is what the service asked all calls of a remote to wait. The zero value is ready to
// use.
type throttle struct {
	mu     sync.Mutex
	until  time.Time // guarded by mu
	logged time.Time // guarded by mu
}

// wait returns when requests are welcome again, or with the cause of ctx.
func (t *throttle) wait(ctx context.Context) error {
	for {
		t.mu.Lock()
		left := time.Until(t.until)
		t.mu.Unlock()
		if left <= 0 {
			return nil
		}
		if err := remote.Sleep(ctx, left); err != nil {
			return err
		}
	}
}

// hold makes all calls wait for d.
func (t *throttle) hold(ctx context.Context, d time.Duration) {
	now := time.Now()
	t.mu.Lock()
	if until := now.Add(d); until.After(t.until) {
		t.until = until
	}
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
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseFloat(value, 64); err == nil && seconds >= 0 {
		return min(time.Duration(min(seconds, longPause.Seconds())*float64(time.Second)), longPause)
	}
	if when, err := http.ParseTime(value); err == nil {
		return min(max(time.Until(when), 0), longPause)
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
