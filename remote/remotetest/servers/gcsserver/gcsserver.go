// Package gcsserver is a fake of Google Cloud Storage on the loopback interface, for tests. It is a
// program of another module, so that ferry's own names none of what that drags in.
package gcsserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"ferry/remote/remotetest/servers"
)

const (
	program = "github.com/fsouza/fake-gcs-server"
	version = "v1.56.1"

	// page is how many objects a page has; the service has a thousand.
	page = "400"
)

// A Server is the fake, on a port of its own. It keeps everything in memory, and lets anybody in.
type Server struct {
	Addr     string
	fake     string // where the program listens
	client   http.Client
	buckets  atomic.Int32
	requests atomic.Int32
	changes  sync.RWMutex // held as long as a change is made
	sessions sync.Map     // what was confirmed of each upload in chunks, by its id: the header Range
}

// Program returns the executable. A test that lacks it is skipped, but not on the build machine.
func Program(t testing.TB) string {
	t.Helper()
	return servers.BuildProgram(t, program, version)
}

// Start starts a server, which ends with the test.
func Start(t *testing.T) *Server {
	t.Helper()
	exe := Program(t)
	web := httptest.NewUnstartedServer(nil)
	port := servers.FreePort(t)
	s := &Server{Addr: web.Listener.Addr().String(), fake: fmt.Sprintf("127.0.0.1:%d", port)}
	s.client.Transport = &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
	t.Cleanup(s.client.CloseIdleConnections)
	servers.StartWebServer(t, "http://"+s.fake+"/storage/v1/b", "", exec.Command(exe, "-backend", "memory", "-scheme", "http",
		"-host", "127.0.0.1", "-port", strconv.Itoa(port), "-public-host", s.Addr, "-external-url", "http://"+s.Addr, "-log-level", "error"))
	to := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: s.fake})
			r.Out.Host = s.Addr
		},
		Transport: s.client.Transport,
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) {
			panic(http.ErrAbortHandler) // the client has gone, or the test has ended
		},
	}
	web.Config.Handler = s.underAnyName(to)
	web.Start()
	t.Cleanup(web.Close)
	return s
}

// Requests returns how many there were so far.
func (s *Server) Requests() int { return int(s.requests.Load()) }

// NewBucket makes an empty bucket.
func (s *Server) NewBucket(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("bucket-%d", s.buckets.Add(1))
	body := strings.NewReader(fmt.Sprintf(`{"name": %q}`, name))
	resp, err := s.client.Post("http://"+s.fake+"/storage/v1/b", "application/json", body)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("a bucket cannot be made: %s", resp.Status)
	}
	return name
}

// Names lists the objects of a bucket, hidden ones included, with spaces between them.
func (s *Server) Names(t *testing.T, bucket string) string {
	t.Helper()
	var all struct{ Items []struct{ Name string } }
	if err := s.get("b/"+bucket+"/o", &all); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, o := range all.Items {
		names = append(names, o.Name)
	}
	return strings.Join(names, " ")
}

// get asks the program itself.
func (s *Server) get(path string, into any) error {
	resp, err := s.client.Get("http://" + s.fake + "/storage/v1/" + path)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(into)
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
		if id := r.URL.Query().Get("upload_id"); id != "" && r.Method != http.MethodPost {
			if s.answerForSession(w, r, id) {
				return
			}
			w = &session{w, s, id}
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
	var o struct{ Generation string }
	if err := s.get("b/"+bucket+"/o/"+name, &o); err != nil {
		return !composes // it is the fake that says so
	}
	return wanted == o.Generation
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

// answerForSession answers what the fake would take for the end of an upload in chunks: how far it
// has come, and that it is given up. It reports whether it has.
func (s *Server) answerForSession(w http.ResponseWriter, r *http.Request, id string) bool {
	switch {
	case r.Method == http.MethodDelete:
		s.sessions.Delete(id)
		w.WriteHeader(499) // as the service does
	case r.Header.Get("Content-Range") == "bytes */*":
		confirmed, ok := s.sessions.Load(id)
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return true
		}
		w.Header().Set("Range", confirmed.(string))
		w.WriteHeader(http.StatusPermanentRedirect)
	default:
		return false
	}
	return true
}

// A session notes what is confirmed of an upload in chunks.
type session struct {
	http.ResponseWriter
	s  *Server
	id string
}

func (w *session) WriteHeader(status int) {
	if status == http.StatusPermanentRedirect {
		w.s.sessions.Store(w.id, w.Header().Get("Range"))
	} else {
		w.s.sessions.Delete(w.id)
	}
	w.ResponseWriter.WriteHeader(status)
}
