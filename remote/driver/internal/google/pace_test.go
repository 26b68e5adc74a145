package google

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// answers is a service that gives these answers, one after the other, and then 200.
type answers struct {
	mu   sync.Mutex
	left []*http.Response // guarded by mu
	sent []time.Time      // guarded by mu
	said []string         // guarded by mu; bodies of requests
}

// RoundTrip implements http.RoundTripper.
func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	body := ""
	if r.Body != nil {
		b, _ := io.ReadAll(r.Body)
		body = string(b)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sent, a.said = append(a.sent, time.Now()), append(a.said, body)
	if len(a.left) == 0 {
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
	}
	first := a.left[0]
	a.left = a.left[1:]
	return first, nil
}

func tooManyAnswer(status int, after string) *http.Response {
	body := `{"error":{"errors":[{"reason":"userRateLimitExceeded"}]}}`
	r := &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}
	if after != "" {
		r.Header.Set("Retry-After", after)
	}
	return r
}

func TestTooManyRequestsWaitLongerEachTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := &answers{left: []*http.Response{tooManyAnswer(403, ""), tooManyAnswer(429, ""), tooManyAnswer(403, "")}}
		s := &Service{Base: "http://host/", Client: &http.Client{Transport: service}, Tries: 10, Pace: new(Pace)}
		for range 2 { // the second one begins anew
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://host/", strings.NewReader("body"))
			if err != nil {
				t.Fatal(err)
			}
			answer, err := s.Send(r)
			if err != nil || answer.StatusCode != http.StatusOK {
				t.Fatalf("%+v, %v", answer, err)
			}
		}
		if len(service.sent) != 5 || strings.Join(service.said, "") != strings.Repeat("body", 5) {
			t.Fatalf("%d requests, %q", len(service.sent), service.said)
		}
		for i, least := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 0} {
			if wait := service.sent[i+1].Sub(service.sent[i]); wait < least || wait > least+time.Second {
				t.Errorf("wait %d is %v, want %v", i, wait, least)
			}
		}
	})
}

func TestAllRequestsWaitAsLongAsTheServiceSays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, date := range []bool{false, true} {
			begin := time.Now()
			after := "30"
			if date {
				after = begin.Add(30 * time.Second).UTC().Format(http.TimeFormat)
			}
			service := &answers{left: []*http.Response{tooManyAnswer(503, after)}}
			s := &Service{Base: "http://host/", Client: &http.Client{Transport: service}, Tries: 10, Pace: new(Pace)}
			var all sync.WaitGroup
			for i := range 5 {
				all.Go(func() {
					time.Sleep(time.Duration(i) * time.Second)
					if err := s.Do(t.Context(), Call{Method: http.MethodGet}, nil); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			for _, sent := range service.sent[1:] {
				if sent.Sub(begin) < 29*time.Second || sent.Sub(begin) > 32*time.Second {
					t.Errorf("%s: one is sent after %v", after, sent.Sub(begin))
				}
			}
		}
	})
}

func TestAWaitEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := &answers{left: []*http.Response{tooManyAnswer(429, "3600")}}
		s := &Service{Base: "http://host/", Client: &http.Client{Transport: service}, Tries: 10, Pace: new(Pace)}
		cause := errors.New("cause")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(cause) })
		if err := s.Do(ctx, Call{Method: http.MethodGet}, nil); !errors.Is(err, cause) || len(service.sent) != 1 {
			t.Errorf("%v after %d requests", err, len(service.sent))
		}
	})
}

func TestItIsTriedAsOftenAsTheOptionsSay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := &answers{left: []*http.Response{tooManyAnswer(429, ""), tooManyAnswer(429, ""), tooManyAnswer(429, ""), tooManyAnswer(429, "")}}
		s := &Service{Base: "http://host/", Client: &http.Client{Transport: service}, Tries: 3, Pace: new(Pace)}
		err := s.Do(t.Context(), Call{Method: http.MethodGet}, nil)
		if !HasCode(err, http.StatusTooManyRequests) || len(service.sent) != 3 {
			t.Errorf("%v after %d requests", err, len(service.sent))
		}
	})
}
