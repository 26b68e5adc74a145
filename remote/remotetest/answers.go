package remotetest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"ferry/remote"
)

// An Answer is the one that a service gives to every request.
type Answer struct {
	Status   int
	Code     string
	Requests int64 // what a Put makes that may try 3 times; 1 = the error is permanent
	Kind     error // what the error is; nil = anything
}

// RunAnswers checks what answers of a service to a Put mean and cost. write gives an answer; list
// is the listing of nothing, if that is what r asks for. open opens a remote on the service that
// makes 3 attempts.
func RunAnswers(t *testing.T, answers []Answer, write func(w http.ResponseWriter, a Answer),
	list func(r *http.Request) string, open func(t *testing.T, url string) remote.Remote) {
	for _, a := range answers {
		t.Run(fmt.Sprint(a.Status, a.Code), func(t *testing.T) {
			var n atomic.Int64
			web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if nothing := list(r); nothing != "" {
					_, _ = io.WriteString(w, nothing)
					return
				}
				n.Add(1)
				write(w, a)
			}))
			t.Cleanup(web.Close)
			r := open(t, web.URL)
			t.Cleanup(func() { _ = r.Close() })
			_, err := r.Put(t.Context(), "f", strings.NewReader("x"), remote.PutOptions{Size: 1})
			if err == nil || a.Kind != nil && !errors.Is(err, a.Kind) || remote.Permanent(err) != (a.Requests == 1) {
				t.Errorf("error %v", err)
			}
			if n.Load() != a.Requests {
				t.Errorf("%d requests, %v", n.Load(), err)
			}
		})
	}
}
