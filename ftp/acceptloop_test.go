package ftp_test

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"ferry/ftp"
	"ferry/remote/driver/memory"
)

// slowGuard lets nobody in before it is told to.
type slowGuard struct{ asked, release chan struct{} }

func (g slowGuard) Admit(netip.Addr) error {
	g.asked <- struct{}{}
	<-g.release
	return nil
}

func (slowGuard) Note(netip.Addr, ftp.GuardEvent, string) {}

// A listener whose next connection is not accepted, because the last one is still dealt with, is
// seen; one that waits for a connection, however long, is not.
func TestAListenerThatIsStuckIsSeen(t *testing.T) {
	g := slowGuard{make(chan struct{}, 1), make(chan struct{})}
	s := newServer(t, memory.New(), nil)
	s.Guard = g
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(context.WithoutCancel(t.Context()), l) }()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	<-g.asked
	time.Sleep(time.Millisecond)
	if a := s.Accepting(); a.Listeners != 1 || a.Closing || a.Busy < time.Millisecond {
		t.Errorf("while it is stuck: %+v", a)
	}
	close(g.release)
	if _, err := conn.Read(make([]byte, 1)); err != nil { // the greeting
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); s.Accepting().Busy != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("while it waits: %+v", s.Accepting())
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	<-ended
	if a := s.Accepting(); !a.Closing || a.Listeners != 0 {
		t.Errorf("after the end: %+v", a)
	}
}
