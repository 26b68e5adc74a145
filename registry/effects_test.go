package registry

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"ferry/remote"
)

// An effect is what options change, on a server of the type S.
type effect[S any] struct {
	options       string // as in a remote string
	without, with string // what shows returns where they are not set, and where they are
	shows         func(t *testing.T, s S, r remote.Remote) string
}

// haveEffect tests what options do to the remote r of the configuration file that start returns.
func haveEffect[S any](t *testing.T, start func(t *testing.T) (s S, file string), all []effect[S]) {
	t.Helper()
	for _, e := range all {
		t.Run(e.options, func(t *testing.T) {
			t.Parallel()
			for remoteString, want := range map[string]string{"r:": e.without, "r," + e.options + ":": e.with} {
				s, file := start(t)
				r, err := openFrom(t, file, remoteString)
				if err != nil {
					t.Errorf("%s: %v", remoteString, err)
				} else if got := e.shows(t, s, r); got != want {
					t.Errorf("%s shows %q, want %q", remoteString, got, want)
				}
			}
		})
	}
}

func put(t *testing.T, r remote.Remote, name, content string) {
	t.Helper()
	if _, err := r.Put(t.Context(), name, strings.NewReader(content), remote.PutOptions{}); err != nil {
		t.Error(err)
	}
}

// content is what a file holds, or why it cannot be read.
func content(t *testing.T, r remote.Remote, name string) string {
	t.Helper()
	f, err := r.Open(t.Context(), name, 0, -1)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

// headers are those of the requests that a server got.
type headers struct {
	mu  sync.Mutex
	all []http.Header // guarded by mu
}

// between puts what notes headers before the server at addr, and returns its URL.
func (h *headers) between(t *testing.T, addr string) string {
	t.Helper()
	onward := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: addr})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		h.all = append(h.all, r.Header.Clone())
		h.mu.Unlock()
		onward.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	return web.URL
}

// last is what the last request said.
func (h *headers) last(name string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.all[len(h.all)-1].Get(name)
}
