// Package driveserver is a double of Google Drive on the loopback interface, for tests: version 3
// of its API by the public documentation, as far as a storage needs it. It keeps everything in
// memory, and checks what the service checks: the token, the grammar of queries, parents that
// exist, ids of new files, lengths of chunks. Several files of one folder may have one name, and a
// query for a name does not mind its case.
//
//	driveserver.go   Start, and what the API is
//	prepare.go       what tests put in, and what they look at
//	files.go         files: described, listed, made, changed, removed; media.go their contents
//	upload.go        contents that are sent; feed.go: what has changed
//	query.go         the grammar of queries
//	shared.go        shared drives
//	account.go       service accounts, and tokens for them
//	answer.go        answers and refusals
//	item.go          what there is
package driveserver

import (
	"crypto/rsa"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// Token is what the requests of the account prove themselves by.
const Token = "token-of-the-account"

// A Server is the service as one account sees it. Its methods may be called concurrently.
type Server struct {
	Addr string // host and port
	Root string // id of the root folder

	mu       sync.Mutex
	items    map[string]*item            // guarded by mu; by id
	below    map[string]map[string]*item // guarded by mu; by id of the folder and their own
	made     int                         // guarded by mu; ids so far
	issued   map[string]bool             // guarded by mu; ids for new files
	sessions map[string]*session         // guarded by mu
	changes  []string                    // guarded by mu; ids in the order of their changes
	quota    int64                       // guarded by mu; 0 = none
	refusals []refusal                   // guarded by mu; of the next requests
	requests []string                    // guarded by mu; method and path of each
	frozen   []*item                     // guarded by mu; what queries find; nil = all that there is
	robot    *rsa.PublicKey              // guarded by mu; of the service account; nil = there is none
	subjects []string                    // guarded by mu; whom it asked tokens for
	hook     func(*http.Request)         // guarded by mu
}

// Start starts a server, which ends with the test. The drive is empty.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{items: map[string]*item{}, below: map[string]map[string]*item{}, issued: map[string]bool{}, sessions: map[string]*session{}}
	s.Root = s.newID()
	now := time.Now()
	s.items[s.Root] = &item{id: s.Root, name: "My Drive", mime: folderType, created: now, modified: now}
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	s.Addr = strings.TrimPrefix(web.URL, "http://")
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, r.Method+" "+r.URL.Path)
	hook := s.hook
	s.mu.Unlock()
	if hook != nil {
		hook(r)
	}
	var refused *refusal
	s.mu.Lock()
	if len(s.refusals) > 0 {
		refused, s.refusals = &s.refusals[0], s.refusals[1:]
	}
	s.mu.Unlock()
	var bad *refusal
	switch path, uploads := strings.CutPrefix(r.URL.Path, "/upload/drive/v3/files"); {
	case r.URL.Path == "/token":
		bad = s.grant(w, r)
	case r.Header.Get("Authorization") != "Bearer "+Token:
		bad = &refusal{status: http.StatusUnauthorized, reason: "authError"}
	case refused != nil:
		bad = refused
	case !s.knows(r):
		bad = notFound(r.URL.Path)
	case uploads:
		bad = s.upload(w, r, strings.TrimPrefix(path, "/"))
	default:
		bad = s.serve(w, r, strings.TrimPrefix(r.URL.Path, "/drive/v3/"))
	}
	if bad != nil {
		bad.write(w)
	}
}

// serve answers a request for what is no content that is sent.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, path string) *refusal {
	parts := strings.Split(path, "/")
	call := r.Method + " " + parts[0]
	switch {
	case path == "about" && r.Method == http.MethodGet:
		return s.about(w, r)
	case call == "GET changes":
		return s.feed(w, r, parts[1:])
	case parts[0] != "files":
		return notFound(path)
	case len(parts) == 1 && r.Method == http.MethodGet:
		return s.list(w, r)
	case len(parts) == 1 && r.Method == http.MethodPost:
		return s.create(w, r)
	case path == "files/generateIds" && r.Method == http.MethodGet:
		return s.generate(w, r)
	case len(parts) == 2 && r.Method == http.MethodGet:
		return s.get(w, r, parts[1])
	case len(parts) == 2 && r.Method == http.MethodPatch:
		return s.patch(w, r, parts[1])
	case len(parts) == 2 && r.Method == http.MethodDelete:
		return s.remove(w, parts[1])
	case len(parts) == 3 && parts[2] == "copy" && r.Method == http.MethodPost:
		return s.copy(w, r, parts[1])
	case len(parts) == 3 && parts[2] == "export" && r.Method == http.MethodGet:
		return s.export(w, r, parts[1])
	case len(parts) == 4 && parts[2] == "revisions" && r.Method == http.MethodGet:
		return s.revision(w, r, parts[1], parts[3])
	}
	return notFound(path)
}
