package webdav_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	dav "golang.org/x/net/webdav"

	"ferry/remote/driver/webdav"
)

// newServer serves files by the handler of golang.org/x/net/webdav; around, if it is not nil, gets
// the requests first.
func newServer(t *testing.T, files dav.FileSystem, around func(next http.Handler) http.Handler) *httptest.Server {
	t.Helper()
	var h http.Handler = &dav.Handler{Prefix: "/dav", FileSystem: files, LockSystem: dav.NewMemLS()}
	if around != nil {
		h = around(h)
	}
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // the handler answers twice when a request is cut
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// open returns the remote that o describes, and closes it at the end of the test.
func open(t *testing.T, o webdav.Options) *webdav.Remote {
	t.Helper()
	r, err := webdav.New(t.Context(), "", o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// leftovers fails the test when files holds anything but the names that are wanted.
func leftovers(t *testing.T, files dav.FileSystem, want ...string) {
	t.Helper()
	dir, err := files.OpenFile(context.Background(), "/", os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	infos, err := dir.Readdir(-1)
	if err != nil {
		t.Fatal(err)
	}
	wanted := map[string]bool{}
	for _, name := range want {
		wanted[name] = true
	}
	for _, info := range infos {
		if !wanted[info.Name()] {
			t.Errorf("the server still has %s", fs.FormatFileInfo(info))
		}
	}
}

// newSubdirectory makes an empty directory in files and returns its name.
func newSubdirectory(t *testing.T, files string) string {
	t.Helper()
	dir, err := os.MkdirTemp(files, "test")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil { // Apache may run as another user
		t.Fatal(err)
	}
	return filepath.Base(dir)
}

// exactTimes is a directory whose files get the time at which they were written to the nanosecond,
// as their tags are made of it. The kernel gives files the time of its last tick.
type exactTimes struct{ dav.Dir }

func (d exactTimes) OpenFile(ctx context.Context, name string, flag int, perm os.FileMode) (dav.File, error) {
	f, err := d.Dir.OpenFile(ctx, name, flag, perm)
	if err != nil || flag&os.O_CREATE == 0 {
		return f, err
	}
	return &touched{f, filepath.Join(string(d.Dir), filepath.FromSlash(name))}, nil
}

type touched struct {
	dav.File
	path string
}

func (f *touched) Close() error {
	return errors.Join(f.File.Close(), os.Chtimes(f.path, time.Time{}, time.Now()))
}
