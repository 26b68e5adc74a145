package smb

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"ferry/remote"
	"ferry/remote/remotetest"
	"ferry/remote/remotetest/servers/samba"
	"ferry/remote/wrap/retry"
)

// options returns what a client needs to reach a server at addr.
func options(t *testing.T, s *samba.Server, addr string) Options {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	p, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return Options{Host: host, Port: p, User: s.User, Password: samba.Password, Encoding: Encoding}
}

// fresh opens a new directory of a server that is reached at addr.
func fresh(t *testing.T, s *samba.Server, o Options) (r *Remote, dir string) {
	t.Helper()
	dir, err := os.MkdirTemp(s.Dir, "")
	if err != nil {
		t.Fatal(err)
	}
	return openRemote(t, "files/"+filepath.Base(dir), o), dir
}

func openRemote(t *testing.T, root string, o Options) *Remote {
	t.Helper()
	r, err := New(t.Context(), root, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRemote(t *testing.T) {
	s := samba.Start(t)
	open := func(t *testing.T) remote.Remote {
		r, _ := fresh(t, s, options(t, s, s.Addr))
		return r
	}
	remotetest.Run(t, open)
	t.Run("Rename", func(t *testing.T) { remotetest.RunRename(t, open) })
}

func TestBrokenConnections(t *testing.T) {
	s := samba.Start(t)
	n := remotetest.Network{
		Target: s.Addr,
		Open: func(t *testing.T, addr string) remote.Remote {
			r, _ := fresh(t, s, options(t, s, addr))
			return r
		},
		Again: func(r remote.Remote) remote.Remote { return retry.New(r, retry.Options{}) },
	}
	remotetest.RunNetwork(t, n)
	remotetest.RunCommitted(t, n)
}
