package google

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"ferry/remote"
	"ferry/remote/network"
)

const (
	// firstWait is how long a service is left alone that has had too many requests and does not say
	// for how long; each further time twice as long, until it takes one.
	firstWait = 500 * time.Millisecond
	// longestWait is the most of that, and of what the service says.
	longestWait = 64 * time.Second
)

// A Pace keeps all requests of a service back when it says that there are too many, and makes the
// refused one again. The zero value is ready to use.
type Pace struct {
	mu     sync.Mutex
	until  time.Time     // guarded by mu; nothing is sent before
	wait   time.Duration // guarded by mu; the last one that the service did not name; 0 = it takes what comes
	warned bool          // guarded by mu
}

// send makes a request by client, up to tries times. A request whose body cannot be sent again is
// made once. An answer that there are too many is returned when it is the last.
func (p *Pace) send(client *http.Client, r *http.Request, tries int) (*http.Response, error) {
	ctx := r.Context()
	for {
		if err := p.pause(ctx); err != nil {
			if r.Body != nil {
				r.Body.Close()
			}
			return nil, err
		}
		answer, err := client.Do(r)
		if err != nil {
			return nil, err
		}
		if !tooMany(answer) {
			if answer.StatusCode < http.StatusBadRequest {
				p.taken()
			}
			return answer, nil
		}
		p.refused(ctx, answer.Header.Get("Retry-After"))
		if answer.StatusCode == http.StatusForbidden { // the others are reported below
			remote.Congested(ctx)
		}
		again := r.Clone(ctx)
		if r.GetBody != nil {
			if again.Body, err = r.GetBody(); err != nil {
				return answer, nil
			}
		}
		if tries--; tries <= 0 || r.GetBody == nil && r.Body != nil && r.Body != http.NoBody {
			return answer, nil
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<20)) // the connection serves the next request
		answer.Body.Close()
		r = again
	}
}

// tooMany reports whether an answer says that there are too many requests.
func tooMany(answer *http.Response) bool {
	switch answer.StatusCode {
	case http.StatusTooManyRequests:
		return true
	case http.StatusServiceUnavailable:
		// A gateway says so too, and does not know what the service has done.
		return answer.Header.Get("Retry-After") != "" && strings.Contains(answer.Header.Get("Content-Type"), "json")
	case http.StatusForbidden:
		return IsRateLimit(reason(answer))
	}
	return false
}

// IsRateLimit reports whether a refusal with that reason passes when there are fewer requests.
func IsRateLimit(reason string) bool {
	switch reason {
	case "rateLimitExceeded", "userRateLimitExceeded", "sharingRateLimitExceeded":
		return true
	}
	return false
}

// pause waits until something may be sent. Those who wait do not all go on at once.
func (p *Pace) pause(ctx context.Context) error {
	for {
		p.mu.Lock()
		wait := time.Until(p.until)
		spread := min(p.wait, time.Second)
		p.mu.Unlock()
		if wait <= 0 {
			return nil
		}
		if spread > 0 {
			wait += time.Duration(rand.Int64N(int64(spread)))
		}
		if err := remote.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// refused notes that there were too many. after is what the service says of how long, in seconds or
// as a date.
func (p *Pace) refused(ctx context.Context, after string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Before(p.until) { // one that was sent together with others
		return
	}
	p.wait = min(max(2*p.wait, firstWait), longestWait)
	wait := p.wait
	if named, ok := network.RetryAfter(after); ok {
		wait = named
	}
	p.until = now.Add(min(wait, longestWait))
	if !p.warned {
		p.warned = true
		remote.Warn(ctx, "the service refuses requests, as there are too many: they are sent more slowly from now on")
	}
}

// taken notes that the service takes requests again.
func (p *Pace) taken() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !time.Now().Before(p.until) {
		p.wait = 0
	}
}
