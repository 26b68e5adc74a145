package ftp_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"testing"
	"time"

	"ferry/auth"
	ftpserver "ferry/ftp"
	"ferry/remote"
	"ferry/remote/driver/ftp"
	"ferry/remote/driver/memory"
	"ferry/remote/remotetest"
	"ferry/remote/remotetest/servers"
	"ferry/serve"
	"ferry/vfs"
)

const testPassword = "correct horse"

// startFerry runs ferry's own engine over store until the test ends. change adapts the server and
// its listener.
func startFerry(t *testing.T, store remote.Remote, change func(*ftpserver.Server, net.Listener) net.Listener) ftp.Options {
	t.Helper()
	tree := vfs.New(store, vfs.Options{Modes: vfs.Modes{File: 0o644, Dir: 0o755}})
	srv := &ftpserver.Server{
		Backend:     &serve.Backend{Auth: auth.NewSingle("bob", testPassword), Tree: tree},
		DataConnect: 5 * time.Second,
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	options := optionsFor(t, l.Addr().String(), "bob", testPassword)
	if change != nil {
		l = change(srv, l)
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(context.Background(), l) }()
	t.Cleanup(func() {
		srv.Close()
		if err := <-done; !errors.Is(err, ftpserver.ErrServerClosed) {
			t.Errorf("Serve returned %v", err)
		}
	})
	return options
}

func optionsFor(t *testing.T, addr, user, password string) ftp.Options {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	p, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return ftp.Options{Host: host, Port: p, User: user, Password: password, Encoding: ftp.Encoding}
}

func openRemote(t *testing.T, root string, o ftp.Options) *ftp.Remote {
	t.Helper()
	r, err := ftp.New(t.Context(), root, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRemoteOnFerry(t *testing.T) {
	remotetest.Run(t, func(t *testing.T) remote.Remote {
		return openRemote(t, "", startFerry(t, memory.New(), nil))
	})
}

func TestRemoteOnFerryByLIST(t *testing.T) {
	servers.SkipLong(t)
	remotetest.Run(t, func(t *testing.T) remote.Remote {
		o := startFerry(t, memory.New(), nil)
		o.NoMLSD = true
		return openRemote(t, "/", o)
	})
}

func TestRemoteOnFerryWithTLS(t *testing.T) {
	servers.SkipLong(t)
	certificate, pool := newCertificate(t)
	remotetest.Run(t, func(t *testing.T) remote.Remote {
		o := startFerry(t, memory.New(), func(s *ftpserver.Server, l net.Listener) net.Listener {
			s.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
			s.RequireTLS = true
			return l
		})
		o.ExplicitTLS = true
		o.TLS = &tls.Config{RootCAs: pool}
		return openRemote(t, "", o)
	})
}
