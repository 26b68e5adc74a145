package webdav_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	dav "golang.org/x/net/webdav"

	"ferry/remote"
	"ferry/remote/driver/webdav"
	"ferry/remote/nameenc"
	"ferry/remote/remotetest"
)

func TestGoServer(t *testing.T) {
	remotetest.Run(t, func(t *testing.T) remote.Remote {
		s := newServer(t, exactTimes{dav.Dir(t.TempDir())}, nil)
		return open(t, webdav.Options{URL: s.URL + "/dav"})
	})
}

func TestApache(t *testing.T) {
	a := startApache(t)
	for what, atomic := range map[string]*bool{"renames uploads": nil, "puts directly": new(true)} {
		t.Run(what, func(t *testing.T) {
			remotetest.Run(t, func(t *testing.T) remote.Remote {
				sub := newSubdirectory(t, a.files)
				return open(t, webdav.Options{URL: a.url + "/" + sub, AtomicPut: atomic})
			})
		})
	}
}

// cutting fails after some bytes.
type cutting struct {
	left int
	err  error
}

func (c *cutting) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, c.err
	}
	n := min(len(p), c.left)
	c.left -= n
	return n, nil
}

func TestAnUploadThatIsCutLeavesNothingOnTheServer(t *testing.T) {
	files := dav.Dir(t.TempDir())
	s := newServer(t, files, nil)
	r := open(t, webdav.Options{URL: s.URL + "/dav"})
	defer r.Close()
	for _, n := range []int{10, 100_000, 5_000_000} {
		cut := errors.New("cut")
		_, err := r.Put(t.Context(), "f", &cutting{n, cut}, remote.PutOptions{})
		if !errors.Is(err, cut) {
			t.Errorf("after %d bytes: %v", n, err)
		}
		leftovers(t, files)
	}
}

func TestAnUploadThatWasLeftLongAgoIsRemoved(t *testing.T) {
	dir := t.TempDir()
	s := newServer(t, dav.Dir(dir), nil)
	r := open(t, webdav.Options{URL: s.URL + "/dav"})
	defer r.Close()
	old, fresh := ".ferry-upload-ABCDEFGHIJKLMNOPQRSTUVWXYZ", ".ferry-upload-22222222222222222222222222"
	for name, age := range map[string]time.Duration{old: 25 * time.Hour, fresh: 23 * time.Hour} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(filepath.Join(dir, name), time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range [][]string{{old, fresh}, {fresh}} {
		for e, err := range r.List(t.Context(), ".") {
			t.Errorf("%+v, %v", e, err)
		}
		leftovers(t, dav.Dir(dir), want...)
		r.ClockWatchedFor(time.Hour)
	}
}

func TestHiddenNamesAreNobodys(t *testing.T) {
	s := newServer(t, dav.Dir(t.TempDir()), nil)
	r := open(t, webdav.Options{URL: s.URL + "/dav"})
	defer r.Close()
	const hidden = ".ferry-upload-ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	_, put := r.Put(t.Context(), hidden, strings.NewReader("x"), remote.PutOptions{})
	_, stat := r.Stat(t.Context(), hidden+"/f")
	for what, c := range map[string]struct{ err, want error }{
		"Put":    {put, remote.ErrBadName},
		"Mkdir":  {r.Mkdir(t.Context(), hidden), remote.ErrBadName},
		"Stat":   {stat, remote.ErrNotExist},
		"Remove": {r.Remove(t.Context(), hidden), remote.ErrNotExist},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v", what, c.err)
		}
	}
}

func TestOptions(t *testing.T) {
	for want, o := range map[string]webdav.Options{
		"option url":    {URL: "dav://me:hunter2@h"},
		"option vendor": {URL: "http://me:hunter2@h", Vendor: "sharepoint"},
	} {
		_, err := webdav.New(t.Context(), "", o)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", want, err)
		}
	}
	r := open(t, webdav.Options{URL: "https://me:hunter2@h/dav"})
	defer r.Close()
	if got := r.Info().Name; got != "webdav:h/dav/" {
		t.Error(got)
	}
}

func TestEncodedNames(t *testing.T) {
	dir := t.TempDir()
	s := newServer(t, dav.Dir(dir), nil)
	r, err := webdav.New(t.Context(), "", webdav.Options{URL: s.URL + "/dav", Encoding: nameenc.Colon | nameenc.Question})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.Put(t.Context(), "a:b?", strings.NewReader("x"), remote.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	leftovers(t, dav.Dir(dir), "a：b？")
	for e, err := range r.List(t.Context(), ".") {
		if e.Name != "a:b?" || err != nil {
			t.Errorf("%+v, %v", e, err)
		}
	}
}
