package gcs_test

import (
	"path/filepath"
	"testing"

	"ferry/remote/driver/gcs"
	"ferry/remote/remotetest/servers/gcsserver"
)

// TestTheFakeCanBeBuilt builds the fake service, which takes minutes the first time.
func TestTheFakeCanBeBuilt(t *testing.T) {
	if exe := gcsserver.Program(t); !filepath.IsAbs(exe) {
		t.Errorf("%q is no absolute path", exe)
	}
}

// options are how the service is reached at addr.
func options(addr string) gcs.Options {
	return gcs.Options{Anonymous: true, Endpoint: "http://" + addr, ProjectNumber: "1"}
}

// openBucket opens a path of the service.
func openBucket(t *testing.T, s *gcsserver.Server, path string) *gcs.Remote {
	t.Helper()
	return open(t, path, options(s.Addr))
}

func open(t *testing.T, path string, o gcs.Options) *gcs.Remote {
	t.Helper()
	r, err := gcs.New(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
