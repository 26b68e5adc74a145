package drive_test

import (
	"io"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"ferry/remote"
	"ferry/remote/driver/drive"
	"ferry/remote/remotetest"
	"ferry/remote/remotetest/servers/driveserver"
	"ferry/remote/wrap/retry"
)

// options are how the service is reached at addr.
func options(addr string) drive.Options {
	token := &oauth2.Token{AccessToken: driveserver.Token}
	return drive.Options{Name: "there", Tokens: oauth2.StaticTokenSource(token), Endpoint: "http://" + addr}
}

func open(t *testing.T, path string, o drive.Options) *drive.Remote {
	t.Helper()
	r, err := drive.New(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// start starts a service, and opens all of its drive.
func start(t *testing.T) (*driveserver.Server, *drive.Remote) {
	t.Helper()
	s := driveserver.Start(t)
	return s, opened(t, options(s.Addr))
}

// opened opens all of a drive until the end of the test.
func opened(t *testing.T, o drive.Options) *drive.Remote {
	t.Helper()
	r := open(t, "", o)
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func put(t *testing.T, r remote.Remote, name, content string) remote.Entry {
	t.Helper()
	e, err := r.Put(t.Context(), name, strings.NewReader(content), remote.PutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func get(t *testing.T, r remote.Remote, name string) string {
	t.Helper()
	f, err := r.Open(t.Context(), name, 0, -1)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

func TestRemote(t *testing.T) {
	t.Parallel()
	remotetest.Run(t, func(t *testing.T) remote.Remote {
		s := driveserver.Start(t)
		s.AddFolder(s.AddFolder(s.Root, "some"), "folder")
		return open(t, "/some/folder/", options(s.Addr))
	})
}

func TestWhatIsStoredDuringARenameIsNotLost(t *testing.T) {
	t.Parallel()
	remotetest.RunRename(t, func(t *testing.T) remote.Remote { return open(t, "", options(driveserver.Start(t).Addr)) })
}

func TestNetwork(t *testing.T) {
	t.Parallel()
	s := driveserver.Start(t)
	n := remotetest.Network{
		Target: s.Addr,
		Open: func(t *testing.T, addr string) remote.Remote {
			s.AddFolder(s.Root, t.Name())
			return open(t, strings.ReplaceAll(t.Name(), "/", "／"), options(addr))
		},
		Again: func(r remote.Remote) remote.Remote { return retry.New(r, retry.Options{}) },
		Size:  20 << 20, // some chunks
	}
	remotetest.RunNetwork(t, n)
	remotetest.RunCommitted(t, n)
}

func TestCaptivePortal(t *testing.T) {
	t.Parallel()
	remotetest.RunPortal(t, func(t *testing.T, addr string) remote.Remote { return open(t, "", options(addr)) })
}
