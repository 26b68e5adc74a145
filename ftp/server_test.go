package ftp_test

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"ferry/ftp"
	"ferry/remote/driver/memory"
)

// A session may be ended from outside from the moment others can see it.
func TestKickWhileClientsConnect(t *testing.T) {
	srv := newServer(t, memory.New(), nil)
	l := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(context.Background(), l) }()
	const clients = 200
	kicked := make(chan struct{})
	go func() {
		defer close(kicked)
		for id := uint64(1); id <= clients; {
			if srv.Kick(id) {
				id++
			}
		}
	}()
	for range clients {
		ours, theirs := net.Pipe()
		l.conns <- theirs
		defer ours.Close()
		go io.Copy(io.Discard, ours)
	}
	<-kicked
	srv.Close()
	if err := <-served; err != ftp.ErrServerClosed {
		t.Errorf("Serve returned %v", err)
	}
}

// stuck is a tree that ignores the end of a context.
type stuck struct {
	ftp.FS
	release chan struct{}
}

func (s stuck) Mkdir(context.Context, string) error { <-s.release; return nil }
func (stuck) Close() error                          { return nil }

func TestCloseDoesNotWaitForAStorageThatHangs(t *testing.T) {
	srv := newServer(t, memory.New(), nil)
	overPipe(t, srv, func(d *dialogue) {
		release := make(chan struct{})
		defer close(release)
		srv.Backend = backendFunc(func() (ftp.FS, error) { return stuck{release: release}, nil })
		d.steps("> REIN", "<< 220", "login", "> MKD d")
		synctest.Wait()
		start := time.Now()
		if err := srv.Close(); err == nil || time.Since(start) > 10*time.Second {
			t.Errorf("Close returned %v after %v", err, time.Since(start))
		}
	})
}
