package gcs_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/fsouza/fake-gcs-server/fakestorage"

	"ferry/remote"
	"ferry/remote/gcs"
	"ferry/remote/remotetest"
)

// A service is a fake of Google Cloud Storage on a port of its own.
type service struct {
	*fakestorage.Server
	web     *httptest.Server
	buckets atomic.Int32
}

func startService(t *testing.T) *service {
	t.Helper()
	web := httptest.NewUnstartedServer(nil)
	address := web.Listener.Addr().String()
	fake, err := fakestorage.NewServerWithOptions(fakestorage.Options{
		NoListener:  true,
		Scheme:      "http",
		PublicHost:  address,
		ExternalURL: "http://" + address,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Stop)
	web.Config.Handler = fake.HTTPHandler()
	web.Start()
	t.Cleanup(web.Close)
	return &service{Server: fake, web: web}
}

// bucket makes an empty bucket.
func (s *service) bucket() string {
	name := fmt.Sprintf("bucket-%d", s.buckets.Add(1))
	s.CreateBucketWithOpts(fakestorage.CreateBucketOpts{Name: name})
	return name
}

// options are how the service is reached.
func (s *service) options() gcs.Options {
	return gcs.Options{Anonymous: true, Endpoint: s.web.URL, ProjectNumber: "1"}
}

func (s *service) open(t *testing.T, path string, o gcs.Options) *gcs.Remote {
	t.Helper()
	r, err := gcs.New(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRemote(t *testing.T) {
	service := startService(t)
	remotetest.Run(t, func(t *testing.T) remote.Remote {
		return service.open(t, "/"+service.bucket()+"/some/prefix/", service.options())
	})
}

func TestWithoutMarkersMkdirStoresNothing(t *testing.T) {
	service := startService(t)
	o := service.options()
	o.NoMarkers = true
	r := service.open(t, service.bucket(), o)
	defer r.Close()
	if err := r.Mkdir(t.Context(), "d"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Stat(t.Context(), "d"); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("Stat: %v", err)
	}
	if _, err := r.Put(t.Context(), "d/f", strings.NewReader("x"), remote.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if e, err := r.Stat(t.Context(), "d"); err != nil || !e.Dir {
		t.Errorf("Stat: %+v, %v", e, err)
	}
}
