package rc

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
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
			Check: func(string, string) Rights { return NoRights }, // nobody has the password
			Health: NewHealth(nil, []Check{{"storage", func(context.Context) (string, error) {
				asked.Add(1)
				if broken != nil {
					return "The storage cannot be reached.", broken
				}
				return "", nil
			}}}, nil),
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
		time.Sleep(2 * healthTime)
		broken = errors.New("secret-host is away")
		want("/readyz", 503, "cannot be reached")
		if _, body := ask(t, s, http.MethodGet, "/readyz"); strings.Contains(body, "secret") {
			t.Errorf("strangers are told %s", body)
		}
		want("/livez", 200, `"ok"`)
		if got, _ := ask(t, s, http.MethodHead, "/readyz"); got != 503 {
			t.Errorf("HEAD: %d", got)
		}
		want("/readyz?verbose", 503, `"storage": "The storage cannot be reached."`)
		time.Sleep(2 * healthTime)
		broken = nil
		want("/readyz", 200, `"ok"`)
		want("/readyz?verbose", 200, `"storage": "ok"`)
	})
}

// A storage that does not answer is asked once, and for a while only.
func TestAStorageThatDoesNotAnswerIsNotReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		s, err := New(Options{Health: NewHealth(nil, []Check{{"storage", func(ctx context.Context) (string, error) {
			asked.Add(1)
			<-ctx.Done()
			return "The storage does not answer.", context.Cause(ctx)
		}}}, nil)})
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
		if took := time.Since(began); took != healthLimit || asked.Load() != 1 {
			t.Errorf("it took %v and %d queries", took, asked.Load())
		}
		s.Close()
	})
}

// A process that is not alive is not ready either, and says why; Health alone answers as a Server
// does.
func TestAliveAndReady(t *testing.T) {
	stuck := Check{"accept", func(context.Context) (string, error) { return "Connections are not accepted.", nil }}
	well := Check{"queue", func(context.Context) (string, error) { return "", nil }}
	for path, want := range map[string][]string{
		"/livez":          {`"accept"`, "503"},
		"/readyz":         {`"accept"`, "503"},
		"/healthz":        {"Connections are not accepted.", "503"},
		"/readyz?verbose": {`"queue": "ok"`, "503"},
		"/other":          {"404"},
	} {
		h := NewHealth([]Check{stuck}, []Check{well}, nil)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		got := strconv.Itoa(w.Code) + w.Body.String()
		for _, part := range want {
			if !strings.Contains(got, part) {
				t.Errorf("%s: %s has no %s", path, got, part)
			}
		}
		h.Close()
	}
}

// Pages have the rules of access of calls.
func TestPages(t *testing.T) {
	body := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("the page")) })
	open := Options{Pages: []Page{{"metrics", LocalOnly, body}, {"ui/", Open, body}}, BaseURL: "x"}
	locked := open
	locked.Check = func(_, password string) Rights {
		if password == "right" {
			return MayChange
		}
		return NoRights
	}
	tests := []struct {
		o                    Options
		method, path, secret string
		from                 string
		want                 int
	}{
		{open, "GET", "/x/metrics", "", "127.0.0.1:1", 200},
		{open, "HEAD", "/x/metrics", "", "127.0.0.1:1", 200},
		{open, "GET", "/x/metrics", "", "192.0.2.1:1", 403},
		{open, "GET", "/x/metricsx", "", "127.0.0.1:1", 405},
		{open, "POST", "/x/metrics", "", "127.0.0.1:1", 404},
		{open, "GET", "/x/ui/a/b", "", "192.0.2.1:1", 200},
		{open, "GET", "/x/ui", "", "192.0.2.1:1", 405},
		{locked, "GET", "/x/metrics", "", "127.0.0.1:1", 401},
		{locked, "GET", "/x/metrics", "wrong", "127.0.0.1:1", 401},
		{locked, "GET", "/x/metrics", "right", "192.0.2.1:1", 200},
	}
	for _, test := range tests {
		s, err := New(test.o)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequestWithContext(t.Context(), test.method, test.path, nil)
		r.RemoteAddr, r.Host = test.from, "127.0.0.1"
		if test.secret != "" {
			r.SetBasicAuth("me", test.secret)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != test.want || (w.Code == 200) != (w.Body.String() == "the page") {
			t.Errorf("%s %s from %s with %q: %d %s", test.method, test.path, test.from, test.secret, w.Code, w.Body)
		}
		s.Close()
	}
}

// What was found out before Recheck is not told after it, also where it was being found out.
func TestRecheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var leaving atomic.Bool
		var slow atomic.Int64
		h := NewHealth(nil, []Check{{"drain", func(ctx context.Context) (string, error) {
			was := leaving.Load()
			sleep(ctx, time.Duration(slow.Load()))
			if was {
				return "The server is drained.", nil
			}
			return "", nil
		}}}, nil)
		defer h.Close()
		ready := func() int {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", nil))
			return w.Code
		}
		if got := ready(); got != 200 {
			t.Fatal(got)
		}
		leaving.Store(true)
		if got := ready(); got != 200 {
			t.Errorf("it was asked again within a second: %d", got)
		}
		h.Recheck()
		if got := ready(); got != 503 {
			t.Errorf("after Recheck: %d", got)
		}
		leaving.Store(false)
		slow.Store(int64(time.Second))
		h.Recheck()
		answer := make(chan int)
		go func() { answer <- ready() }()
		synctest.Wait()
		leaving.Store(true)
		h.Recheck()
		if got := <-answer; got != 503 {
			t.Errorf("a run that began before Recheck was believed: %d", got)
		}
	})
}
