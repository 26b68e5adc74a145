// Package dropboxserver is a double of Dropbox's HTTP interface, version 2, for tests. It is made
// from the public documentation of that, not from the driver, and keeps everything in memory.
//
// It is as strict as the service is said to be: unknown parameters, paths of a wrong form, requests
// of a wrong type and tokens that it did not give are refused; names are not case-sensitive;
// writing makes missing folders; nothing is moved over something; what is uploaded again with the
// same content stays as it is.
//
//	server.go    Server: how a test starts and changes it
//	routes.go    which request is what
//	folders.go   listings, cursors, waiting for changes
//	changes.go   folders made, things moved, copied and removed
//	sessions.go  uploads in pieces, and many files at once
//	content.go   uploads, downloads
//	team.go      accounts, members, space
//	call.go      a request: who may ask, what it says, how it is refused
//	tree.go      files and folders, and what happened to them
//	hash.go      the checksum of a content
package dropboxserver

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// Token is an access token that every Server takes; RefreshToken gets others, from /oauth2/token,
// for the client of these names.
const (
	Token        = "access-of-the-test"
	RefreshToken = "refresh-of-the-test"
	ClientID     = "client"
	ClientSecret = "s3cret"
	Member       = "ann@example.com" // of the team
	TeamSpace    = "1000"            // the namespace of the team's folder, in which the account's is /Home
)

// A Server is the double.
type Server struct {
	Addr string // host and port

	web *httptest.Server

	mu       sync.Mutex
	tree     *tree               // guarded by mu
	cursors  map[string]cursor   // guarded by mu
	sessions map[string]*session // guarded by mu
	tokens   map[string]bool     // guarded by mu
	changed  chan struct{}       // guarded by mu; closed at each change
	space    int64               // guarded by mu; bytes that there is room for
	refuse   int                 // guarded by mu; requests that are too many
	after    int                 // guarded by mu; seconds that these are told to wait
	lock     int                 // guarded by mu; changes that find the namespace locked
	asked    map[string]int      // guarded by mu; requests by route
	batches  []int               // guarded by mu; files of each request that commits many
	fresh    int                 // guarded by mu
	home     string              // guarded by mu; the folder of the account, "" where it has no team
}

// Start starts an empty server, which ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{
		tree: newTree(), cursors: map[string]cursor{}, sessions: map[string]*session{}, tokens: map[string]bool{Token: true},
		changed: make(chan struct{}), space: 1 << 40, asked: map[string]int{},
	}
	s.web = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.web.Close)
	s.Addr = strings.TrimPrefix(s.web.URL, "http://")
	return s
}

// NewFolder makes an empty folder and returns its name.
func (s *Server) NewFolder(t testing.TB) string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fresh++
	name := fmt.Sprintf("Folder %d", s.fresh)
	s.tree.makeFolder("/" + name)
	s.wake()
	return name
}

// SetTeam gives the account a team: what it has from then on is in /Home of TeamSpace.
func (s *Server) SetTeam() {
	s.locked(func() {
		s.home = teamHome
		s.tree.makeFolder(teamHome)
	})
}

// SetSpace leaves room for n bytes in all.
func (s *Server) SetSpace(n int64) { s.locked(func() { s.space = n }) }

// Refuse refuses the next n requests as there are too many, and asks for a pause of seconds.
func (s *Server) Refuse(n, seconds int) { s.locked(func() { s.refuse, s.after = n, seconds }) }

// Lock makes the next n changes fail as another one is being made.
func (s *Server) Lock(n int) { s.locked(func() { s.lock = n }) }

// Expire ends all tokens that were given.
func (s *Server) Expire() { s.locked(func() { s.tokens = map[string]bool{} }) }

// ResetCursors makes all cursors invalid that were given.
func (s *Server) ResetCursors() {
	s.locked(func() {
		for name := range s.cursors {
			s.cursors[name] = cursor{reset: true}
		}
		s.wake()
	})
}

// Asked returns how often a route was asked, as files/list_folder.
func (s *Server) Asked(route string) (n int) {
	s.locked(func() { n = s.asked[route] })
	return n
}

// Batches returns how many files each request committed that can commit many.
func (s *Server) Batches() (all []int) {
	s.locked(func() { all = append(all, s.batches...) })
	return all
}

// PutDocument makes a document at path that has no content, as editors make them.
func (s *Server) PutDocument(path string) {
	s.locked(func() {
		s.tree.write(path, nil, time.Time{}).document = true
		s.wake()
	})
}

// PutReadOnly makes a file at path that may not be changed.
func (s *Server) PutReadOnly(path, content string) {
	s.locked(func() {
		s.tree.write(path, []byte(content), time.Time{}).readOnly = true
		s.wake()
	})
}

// Names returns the paths of all files and folders as they are shown, in order.
func (s *Server) Names() (all []string) {
	s.locked(func() { all = s.tree.names() })
	return all
}
