package network_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

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
