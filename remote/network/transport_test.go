package network_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/network"
)

func TestTooManyRequestsAreReported(t *testing.T) {
	for status, want := range map[int]int{
		http.StatusOK: 0, http.StatusNotFound: 0, http.StatusInternalServerError: 0,
		http.StatusTooManyRequests: 1, http.StatusServiceUnavailable: 1,
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		defer srv.Close()
		transport := network.Options{}.Transport(1)
		defer transport.CloseIdleConnections()
		n := 0
		q, err := http.NewRequestWithContext(remote.WithCongested(t.Context(), func() { n++ }), http.MethodGet, srv.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := transport.RoundTrip(q)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if n != want {
			t.Errorf("%d is reported %d times, want %d", status, n, want)
		}
	}
}

func TestTheTimeOfTheServerIsReported(t *testing.T) {
	const date = "Sun, 06 Nov 1994 08:49:37 GMT"
	for _, tt := range []struct {
		name, value, age string
		want             bool
	}{
		{"Date", date, "", true}, {"Date", "now", "", false}, {"Date", "", "", false}, {"Date", date, "3600", false},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header()[tt.name] = []string{tt.value}
			if tt.age != "" {
				w.Header().Set("Age", tt.age)
			}
		}))
		defer srv.Close()
		transport := network.Options{}.Transport(1)
		defer transport.CloseIdleConnections()
		var told []time.Time
		begun := time.Now()
		ctx := remote.WithClock(t.Context(), func(there, sent time.Time) {
			if told = append(told, there); sent.Before(begun) || sent.After(time.Now()) {
				t.Errorf("it was sent at %v", sent)
			}
		})
		q, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := transport.RoundTrip(q)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if len(told) > 1 || (len(told) == 1) != tt.want || tt.want && told[0].UTC().Format(http.TimeFormat) != date {
			t.Errorf("of %+v %v is reported", tt, told)
		}
	}
}
