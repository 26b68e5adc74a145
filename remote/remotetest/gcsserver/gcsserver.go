// Package gcsserver is a fake of Google Cloud Storage on the loopback interface, for tests.
package gcsserver

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fsouza/fake-gcs-server/fakestorage"
)

// page is how many objects a page has; the service has a thousand.
const page = "400"

// A Server is the fake, on a port of its own. It keeps everything in memory, and lets anybody in.
type Server struct {
	Addr     string
	fake     *fakestorage.Server
	buckets  atomic.Int32
	requests atomic.Int32
	changes  sync.RWMutex // held as long as a change is made
}

// Start starts a server, which ends with the test.
func Start(t *testing.T) *Server {
	t.Helper()
	if testing.Short() {
		t.Skip("the fake of Google Cloud Storage is not for short tests")
	}
	web := httptest.NewUnstartedServer(nil)
	s := &Server{Addr: web.Listener.Addr().String()}
	fake, err := fakestorage.NewServerWithOptions(fakestorage.Options{
		NoListener:  true,
		Scheme:      "http",
		PublicHost:  s.Addr,
		ExternalURL: "http://" + s.Addr,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Stop)
	s.fake = fake
	web.Config.Handler = s.underAnyName(fake.HTTPHandler())
	web.Start()
	t.Cleanup(web.Close)
	return s
}

// Requests returns how many there were so far.
func (s *Server) Requests() int { return int(s.requests.Load()) }

// NewBucket makes an empty bucket.
func (s *Server) NewBucket() string {
	name := fmt.Sprintf("bucket-%d", s.buckets.Add(1))
	s.fake.CreateBucketWithOpts(fakestorage.CreateBucketOpts{Name: name})
	return name
}

// Names lists the objects of a bucket, hidden ones included, with spaces between them.
func (s *Server) Names(t *testing.T, bucket string) string {
	t.Helper()
	all, err := s.fake.ListObjectsWithOptionsPaginated(bucket, fakestorage.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, o := range all.Objects {
		names = append(names, o.Name)
	}
	return strings.Join(names, " ")
}

// underAnyName lets the fake, which knows itself by one address, be reached through others.
func (s *Server) underAnyName(fake http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		asked := r.Host
		r.Host = s.Addr
		if query := r.URL.Query(); strings.HasSuffix(r.URL.Path, "/o") && query.Get("maxResults") == "" {
			query.Set("maxResults", page) // the fake would give everything at once
			r.URL.RawQuery = query.Encode()
		}
		release, err := s.begin(r)
		if err != nil {
			return // the client is gone
		}
		defer release()
		if !s.isCurrent(r) {
			http.Error(w, `{"error":{"code":412,"errors":[{"reason":"conditionNotMet"}]}}`, http.StatusPreconditionFailed)
			return
		}
		fake.ServeHTTP(&renamed{w, asked}, r)
	})
}

// begin keeps changes apart from requests with a precondition, which is to hold as long as they are
// carried out. The body of an upload is taken in before.
func (s *Server) begin(r *http.Request) (release func(), err error) {
	switch {
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		return func() {}, nil
	case r.URL.Query().Has("ifGenerationMatch") || r.URL.Query().Has("ifSourceGenerationMatch"):
		s.changes.Lock()
		return s.changes.Unlock, nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.changes.RLock()
	return s.changes.RUnlock, nil
}

// isCurrent checks the preconditions that the fake does not look at: of compose, rewrite and
// delete.
func (s *Server) isCurrent(r *http.Request) bool {
	_, path, _ := strings.Cut(r.URL.EscapedPath(), "/b/")
	path, _, rewrites := strings.Cut(path, "/rewriteTo/")
	path, composes := strings.CutSuffix(path, "/compose")
	wanted := r.URL.Query().Get("ifGenerationMatch")
	if rewrites {
		wanted = r.URL.Query().Get("ifSourceGenerationMatch")
	}
	if wanted == "" || !rewrites && !composes && r.Method != http.MethodDelete {
		return !composes
	}
	bucket, name, _ := strings.Cut(path, "/o/")
	name, err := url.PathUnescape(name)
	if err != nil {
		return false
	}
	o, err := s.fake.GetObject(bucket, name)
	if err != nil {
		return !composes // it is the fake that says so
	}
	return wanted == strconv.FormatInt(o.Generation, 10)
}

// A renamed answer tells the client to go on where it asked.
type renamed struct {
	http.ResponseWriter
	asked string
}

// WriteHeader implements http.ResponseWriter.
func (w *renamed) WriteHeader(status int) {
	if u, err := url.Parse(w.Header().Get("Location")); err == nil && u.Host != "" {
		u.Host = w.asked
		w.Header().Set("Location", u.String())
	}
	w.ResponseWriter.WriteHeader(status)
}
