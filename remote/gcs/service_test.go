package gcs_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/fsouza/fake-gcs-server/fakestorage"

	"ferry/remote/gcs"
)

// page is how many objects a page has; the service has a thousand.
const page = "400"

// A service is a fake of Google Cloud Storage on a port of its own.
type service struct {
	*fakestorage.Server
	addr     string
	buckets  atomic.Int32
	requests atomic.Int32
}

func startService(t *testing.T) *service {
	t.Helper()
	web := httptest.NewUnstartedServer(nil)
	s := &service{addr: web.Listener.Addr().String()}
	fake, err := fakestorage.NewServerWithOptions(fakestorage.Options{
		NoListener:  true,
		Scheme:      "http",
		PublicHost:  s.addr,
		ExternalURL: "http://" + s.addr,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Stop)
	s.Server = fake
	web.Config.Handler = s.underAnyName(fake.HTTPHandler())
	web.Start()
	t.Cleanup(web.Close)
	return s
}

// underAnyName lets the fake, which knows itself by one address, be reached through others.
func (s *service) underAnyName(fake http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		asked := r.Host
		r.Host = s.addr
		if query := r.URL.Query(); strings.HasSuffix(r.URL.Path, "/o") && query.Get("maxResults") == "" {
			query.Set("maxResults", page) // the fake would give everything at once
			r.URL.RawQuery = query.Encode()
		}
		if strings.HasSuffix(r.URL.Path, "/compose") && !s.isCurrent(r) {
			http.Error(w, `{"error":{"code":412,"errors":[{"reason":"conditionNotMet"}]}}`, http.StatusPreconditionFailed)
			return
		}
		fake.ServeHTTP(&renamed{w, asked}, r)
	})
}

// isCurrent checks the condition of a request to compose, which the fake does not look at.
func (s *service) isCurrent(r *http.Request) bool {
	_, path, _ := strings.Cut(strings.TrimSuffix(r.URL.Path, "/compose"), "/b/")
	bucket, name, _ := strings.Cut(path, "/o/")
	o, err := s.GetObject(bucket, name)
	return err == nil && r.FormValue("ifGenerationMatch") == strconv.FormatInt(o.Generation, 10)
}

// A renamed answer tells the client to go on where it asked.
type renamed struct {
	http.ResponseWriter
	asked string
}

func (w *renamed) WriteHeader(status int) {
	if u, err := url.Parse(w.Header().Get("Location")); err == nil && u.Host != "" {
		u.Host = w.asked
		w.Header().Set("Location", u.String())
	}
	w.ResponseWriter.WriteHeader(status)
}

// bucket makes an empty bucket.
func (s *service) bucket() string {
	name := fmt.Sprintf("bucket-%d", s.buckets.Add(1))
	s.CreateBucketWithOpts(fakestorage.CreateBucketOpts{Name: name})
	return name
}

// names lists the objects of a bucket, hidden ones included.
func (s *service) names(t *testing.T, bucket string) string {
	t.Helper()
	all, err := s.ListObjectsWithOptionsPaginated(bucket, fakestorage.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, o := range all.Objects {
		names = append(names, o.Name)
	}
	return strings.Join(names, " ")
}

// options are how the service is reached at addr.
func options(addr string) gcs.Options {
	return gcs.Options{Anonymous: true, Endpoint: "http://" + addr, ProjectNumber: "1"}
}

func (s *service) open(t *testing.T, path string) *gcs.Remote {
	t.Helper()
	return open(t, path, options(s.addr))
}

func open(t *testing.T, path string, o gcs.Options) *gcs.Remote {
	t.Helper()
	r, err := gcs.New(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
