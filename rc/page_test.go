package rc

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"testing"
)

// heldTree is a Tree that holds two contents.
type heldTree struct{ livelyTree }

func (heldTree) OpenRefused(id string) (Held, error) {
	if id != "a1" {
		return Held{}, fs.ErrNotExist
	}
	return Held{io.NopCloser(strings.NewReader("refused")), `dir/"ä<b>".txt`, 7}, nil
}

func (heldTree) OpenQueued(id int64) (Held, error) {
	if id != 7 {
		return Held{}, fs.ErrNotExist
	}
	return Held{io.NopCloser(strings.NewReader("waits")), "f", 5}, nil
}

const basicReader = "Basic ZXZlOmxvb2s=" // eve:look

// readerCalls are one call of each kind.
func readerCalls() []Call {
	ok := func(context.Context, Params) (Params, error) { return nil, nil }
	return []Call{
		{Path: "a/open", Access: Open, Run: ok}, {Path: "a/local", Access: LocalOnly, Run: ok}, {Path: "a/change", Run: ok},
		{Path: "a/read", Reads: true, Run: ok}, {Path: "a/localread", Access: LocalOnly, Reads: true, Run: ok},
	}
}

// The password of readers is good for what only reads, and for nothing that is open to others on
// this machine.
func TestReaders(t *testing.T) {
	may := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, call := range []string{"a/open", "a/local", "a/change", "a/read", "cache/content", "seen", "none"} {
			if AllowedTo(r.Context(), call) {
				fmt.Fprint(w, call, " ")
			}
		}
	})
	s := newServer(t, Options{Check: sesame, Calls: readerCalls(), Pages: []Page{
		{Path: "seen", Access: LocalOnly, Handler: may}, Contents(These(&heldTree{})),
	}})
	for _, test := range []struct {
		method, target string
		reader, full   int
	}{
		{"POST", "/a/open", 200, 200}, {"POST", "/a/local", 403, 200}, {"POST", "/a/change", 403, 200}, {"POST", "/a/read", 200, 200},
		{"POST", "/a/localread", 200, 200}, {"GET", "/seen", 200, 200}, {"GET", "/cache/content?refused=a1", 403, 200},
		{"GET", "/debug/pprof/goroutine", 403, 200},
	} {
		for auth, want := range map[string]int{basicReader: test.reader, basicRight: test.full, basicWrong: 401} {
			w := request{method: test.method, target: test.target, header: map[string]string{"Authorization": auth}}.do(s)
			if w.Code != want {
				t.Errorf("%s %s with %s: %d, not %d", test.method, test.target, auth, w.Code, want)
			}
		}
	}
	for auth, want := range map[string]string{basicReader: "a/open a/read seen ", basicRight: "a/open a/local a/change a/read cache/content seen "} {
		if got := (request{method: "GET", target: "/seen", header: map[string]string{"Authorization": auth}}).do(s).Body.String(); got != want {
			t.Errorf("%s is told of %q, not of %q", auth, got, want)
		}
	}
}

// A picture or stream in a page of another origin is refused; following a link to the page is not.
func TestPagesOfAnotherOrigin(t *testing.T) {
	body := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {})
	s := newServer(t, Options{Pages: []Page{{Access: LocalOnly, Handler: body}, {Path: "ui/", Access: LocalOnly, Handler: body}}})
	for _, test := range []struct {
		target, site string
		want         int
	}{
		{"/", "cross-site", 200}, {"/", "none", 200}, {"/ui/events", "same-origin", 200}, {"/ui/events", "cross-site", 403}, {"/ui/events", "same-site", 403}, {"/ui/events", "", 200},
	} {
		w := request{method: "GET", target: test.target, header: map[string]string{"Sec-Fetch-Site": test.site}}.do(s)
		if w.Code != test.want {
			t.Errorf("%s from %q: %d", test.target, test.site, w.Code)
		}
	}
}

func TestContents(t *testing.T) {
	s := newServer(t, Options{NoAuth: true, Pages: []Page{Contents(These(&heldTree{}))}})
	for target, want := range map[string]string{
		"/cache/content?refused=a1": "refused", "/cache/content?waiting=7": "waits",
	} {
		w := request{method: "GET", target: target}.do(s)
		h := w.Header()
		if w.Code != 200 || w.Body.String() != want || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment; filename") ||
			h.Get("Content-Type") != "application/octet-stream" || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%s: %d %q %v", target, w.Code, w.Body, h)
		}
	}
	for target, want := range map[string]int{
		"/cache/content?refused=x": 404, "/cache/content?waiting=9": 404, "/cache/content?waiting=x": 400, "/cache/content": 400, "/cache/content?refused=%zz": 400,
	} {
		if w := (request{method: "GET", target: target}).do(s); w.Code != want {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	if w := (request{method: "GET", target: "/cache/content?waiting=7"}).do(newServer(t, Options{NoAuth: true, Pages: []Page{Contents(These(&fakeTree{}))}})); w.Code != 400 {
		t.Errorf("without a cache: %d", w.Code)
	}
}

func TestSetAside(t *testing.T) {
	tree := &livelyTree{}
	s := newServer(t, Options{NoAuth: true, Calls: VFSCalls(These(tree))})
	for body, want := range map[string]int{`{"id":7}`: 200, `{"id":8}`: 404, `{}`: 400} {
		w := request{target: "/vfs/queue-set-aside", body: body, header: map[string]string{"Content-Type": "application/json"}}.do(s)
		if w.Code != want {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	if tree.aside != 1 {
		t.Errorf("%d uploads were given up", tree.aside)
	}
}
