package network_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/network"
)

// A store's answers end, except for the content of an object.
func TestAnswersOfStoresWithoutEnd(t *testing.T) {
	const length = 40 << 20
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", "x")
		if r.URL.Path == "/refused" {
			w.WriteHeader(http.StatusForbidden)
		}
		chunk := strings.Repeat("x", 64<<10)
		for range length / len(chunk) {
			if _, err := io.WriteString(w, chunk); err != nil {
				return
			}
		}
	}))
	defer s.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: network.Objects(transport, func(q *http.Request) bool { return q.URL.Path == "/list" })}
	for request, endless := range map[string]bool{"GET /list": true, "GET /object": false, "GET /refused": true, "PUT /object": true, "POST /object": true} {
		method, path, _ := strings.Cut(request, " ")
		req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		if errors.Is(err, remote.ErrMalformed) != endless || !endless && (err != nil || n != length) {
			t.Errorf("%s: %d bytes, %v", request, n, err)
		}
	}
}
