package webdav_test

import (
	"errors"
	"testing"

	dav "golang.org/x/net/webdav"

	"ferry/remote"
	"ferry/remote/remotetest"
	"ferry/remote/webdav"
)

func TestGoServer(t *testing.T) {
	remotetest.Run(t, func(t *testing.T) remote.Remote {
		s := newServer(t, exactTimes{dav.Dir(t.TempDir())}, nil)
		return open(t, webdav.Options{URL: s.URL + "/dav"})
	})
}

func TestApache(t *testing.T) {
	a := startApache(t, "")
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
