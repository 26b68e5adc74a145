// Package graphserver is a double of the files of Microsoft Graph on the loopback interface, for
// tests: drives of persons, of work or school, and document libraries. It is written from the
// public documentation of the service, checks what that says is checked, and keeps everything in
// memory.
//
// Where the service leaves a choice, the double makes the one that is harder for a client: a PUT by
// path makes missing folders, a move does not replace a file unless MovesReplace says so, the
// children of a file are an empty list, a folder that is removed tells of nothing in it, and what
// is removed from a drive that is not of a person is told without its name.
//
//	graphserver.go   Start, who may ask, which request it is
//	knobs.go         what tests can have it do
//	items.go         requests about items; content.go: of their content; session.go: uploads
//	change.go        moves, copies, deletions; delta.go: the feed of changes
//	drive.go         drives and their items; describe.go: what is said of them; names.go; quickxor.go
//	answer.go        answers, and refusals
package graphserver

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Kinds of drives.
const (
	Personal        = "personal"
	Business        = "business"
	DocumentLibrary = "documentLibrary"
)

// Token is who may ask: it is to be sent as "Authorization: Bearer".
const Token = "the-token-of-graph"

// version is the part of every address.
const version = "/v1.0"

// A Server is the double, on a port of its own.
type Server struct {
	Addr string

	mu       sync.Mutex
	drives   map[string]*drive   // guarded by mu
	sessions map[string]*session // guarded by mu
	copies   map[string]*copying // guarded by mu
	serial   int                 // guarded by mu; what ids are made of
	token    string              // guarded by mu
	requests []string            // guarded by mu; "METHOD /path"

	throttled int           // guarded by mu; how many requests are still refused
	wait      time.Duration // guarded by mu; for how long they are told to wait
	quietTill time.Time     // guarded by mu; no request is welcome before
	early     int           // guarded by mu; how many came before
	moves     bool          // guarded by mu; see MovesReplace
	noTags    bool          // guarded by mu; contents come without a tag
}

// Start starts a double, which ends with the test. It has no drives.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{drives: map[string]*drive{}, sessions: map[string]*session{}, copies: map[string]*copying{}, token: Token}
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	s.Addr = strings.TrimPrefix(web.URL, "http://")
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, r.Method+" "+r.URL.Path)
	refuse := s.throttled > 0
	if refuse {
		s.throttled--
		s.quietTill = time.Now().Add(s.wait)
	} else if time.Now().Before(s.quietTill) {
		s.early++
	}
	wait, token := s.wait, s.token
	s.mu.Unlock()
	if refuse {
		w.Header().Set("Retry-After", strconv.FormatFloat(wait.Seconds(), 'f', -1, 64))
		fails(w, http.StatusTooManyRequests, "activityLimitReached")
		return
	}
	switch {
	case strings.HasPrefix(r.URL.Path, "/up/"):
		s.fragment(w, r, strings.TrimPrefix(r.URL.Path, "/up/"))
	case strings.HasPrefix(r.URL.Path, "/content/"):
		s.download(w, r, strings.TrimPrefix(r.URL.Path, "/content/"))
	case strings.HasPrefix(r.URL.Path, "/monitor/"):
		s.monitor(w, r, strings.TrimPrefix(r.URL.Path, "/monitor/"))
	case !strings.HasPrefix(r.URL.Path, version+"/"):
		http.NotFound(w, r)
	case r.Header.Get("Authorization") != "Bearer "+token:
		fails(w, http.StatusUnauthorized, "InvalidAuthenticationToken")
	default:
		s.graph(w, r, strings.TrimPrefix(r.URL.Path, version))
	}
}

// graph answers a request for a drive, or for something on it.
func (s *Server) graph(w http.ResponseWriter, r *http.Request, path string) {
	id, rest := "", ""
	switch {
	case path == "/me/drive" || strings.HasPrefix(path, "/me/drive/"):
		id, rest = "me", strings.TrimPrefix(path, "/me/drive")
	case strings.HasPrefix(path, "/drives/"):
		id, rest, _ = strings.Cut(strings.TrimPrefix(path, "/drives/"), "/")
		rest = "/" + rest
	}
	s.mu.Lock()
	d := s.drives[id]
	s.mu.Unlock()
	if d == nil {
		fails(w, http.StatusNotFound, "ResourceNotFound")
		return
	}
	if rest == "" || rest == "/" {
		s.mu.Lock()
		defer s.mu.Unlock()
		says(w, http.StatusOK, map[string]any{"id": d.id, "driveType": d.kind, "quota": map[string]any{
			"total": d.quota, "used": d.used, "remaining": max(d.quota-d.used, 0), "deleted": 0, "state": "normal"}})
		return
	}
	// ROOT, or ROOT:/PATH, or ROOT:/PATH:/WHAT, or ROOT/WHAT, where ROOT is root or items/ID.
	parts := strings.SplitN(rest, ":", 3)
	at := address{drive: d}
	head := strings.Split(strings.TrimPrefix(parts[0], "/"), "/")
	if head[0] == "items" && len(head) > 1 {
		at.id = head[1]
		head = head[1:]
	} else if head[0] != "root" {
		fails(w, http.StatusBadRequest, "invalidRequest")
		return
	}
	what := strings.Join(head[1:], "/")
	if len(parts) > 1 {
		at.path = strings.Trim(parts[1], "/")
	}
	if len(parts) > 2 {
		what = strings.Trim(parts[2], "/")
	}
	s.item(w, r, at, what)
}

// An address is where an item is said to be: below another one, or it itself.
type address struct {
	drive *drive
	id    string // "" = the root
	path  string
}
