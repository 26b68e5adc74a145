package rc

import (
	"net/http"
	"strings"
	"testing"
)

func TestProfiles(t *testing.T) {
	open, guarded := newServer(t, Options{}), newServer(t, Options{Check: sesame})
	right := map[string]string{"Authorization": basicRight}
	const elsewhere = "192.0.2.1:1"
	for _, tt := range []struct {
		name   string
		s      *Server
		target string
		remote string
		header map[string]string
		want   int
		text   string
	}{
		{"goroutines from here", open, "/debug/pprof/goroutine?debug=1", "", nil, 200, "goroutine profile: total "},
		{"the heap from here", open, "/debug/pprof/heap?debug=1", "", nil, 200, "heap profile: "},
		{"for programs", open, "/debug/pprof/heap", "", nil, 200, "\x1f\x8b"},
		{"the list", open, "/debug/pprof/", "", nil, 200, "allocs\nblock\ngoroutine\n"},
		{"one that is not there", open, "/debug/pprof/none", "", nil, 404, "there is no profile"},
		{"from elsewhere", open, "/debug/pprof/heap", elsewhere, nil, 403, "on this machine"},
		{"through a proxy", open, "/debug/pprof/heap", "", map[string]string{"Via": "x"}, 403, ""},
		{"by a name that leads here", open, "/debug/pprof/heap", "", map[string]string{"Host": "evil.example"}, 403, ""},
		{"without the password", guarded, "/debug/pprof/heap", "", nil, 401, ""},
		{"with the password", guarded, "/debug/pprof/heap", elsewhere, right, 200, "\x1f\x8b"},
	} {
		w := request{method: http.MethodGet, target: tt.target, remote: tt.remote, header: tt.header}.do(tt.s)
		if w.Code != tt.want || !strings.Contains(w.Body.String(), tt.text) {
			t.Errorf("%s: %d %.100q", tt.name, w.Code, w.Body)
		}
	}
	if w := (request{target: "/debug/pprof/heap"}).do(open); w.Code != http.StatusNotFound {
		t.Errorf("POST: %d", w.Code)
	}
}
