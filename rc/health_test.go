package rc

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// ask returns the status and the body of the answer to a stranger's request.
func ask(t *testing.T, s *Server, method, path string) (int, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	r.RemoteAddr = "192.0.2.1:1234"
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		var broken error
		s, err := New(Options{
			Check: func(string, string) bool { return false }, // nobody has the password
			Ready: func(context.Context) error { asked.Add(1); return broken },
		})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		want := func(path string, status int, text string) {
			t.Helper()
			if got, body := ask(t, s, http.MethodGet, path); got != status || !strings.Contains(body, text) {
				t.Errorf("%s: %d %s, want %d %s", path, got, body, status, text)
			}
		}
		want("/livez", 200, `"ok"`)
		if asked.Load() != 0 {
			t.Error("to live takes a storage")
		}
		want("/readyz", 200, `"ok"`)
		want("/healthz", 200, `"ok"`)
		if n := asked.Load(); n != 1 {
			t.Errorf("the storage was asked %d times within a second", n)
		}
		time.Sleep(2 * readyTime)
		broken = errors.New("secret-host is away")
		want("/readyz", 503, "cannot be reached")
		if _, body := ask(t, s, http.MethodGet, "/readyz"); strings.Contains(body, "secret") {
			t.Errorf("strangers are told %s", body)
		}
		want("/livez", 200, `"ok"`)
		if got, _ := ask(t, s, http.MethodHead, "/readyz"); got != 503 {
			t.Errorf("HEAD: %d", got)
		}
		time.Sleep(2 * readyTime)
		broken = nil
		want("/readyz", 200, `"ok"`)
	})
}

// A storage that does not answer is asked once, and for a while only.
func TestAStorageThatDoesNotAnswerIsNotReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		s, err := New(Options{Ready: func(ctx context.Context) error {
			asked.Add(1)
			<-ctx.Done()
			return context.Cause(ctx)
		}})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if got, _ := ask(t, s, http.MethodGet, "/readyz"); got != 503 {
					t.Errorf("%d", got)
				}
			})
		}
		all.Wait()
		if took := time.Since(began); took != readyLimit || asked.Load() != 1 {
			t.Errorf("it took %v and %d queries", took, asked.Load())
		}
		s.Close()
	})
}
