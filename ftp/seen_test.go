package ftp

import (
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"
)

// What nobody is told costs nothing.
func TestWithoutAnObserverNothingIsNoted(t *testing.T) {
	srv := &Server{Log: slog.New(slog.DiscardHandler)}
	srv.prepare.Do(srv.setUp)
	s := &session{srv: srv, done: tally{user: "bob"}}
	c, line := srv.commands.byName["DELE"], []byte("DELE")
	moved := &transfer{verb: "RETR", name: "a"}
	if n := testing.AllocsPerRun(100, func() {
		s.see(c, line, "a")
		s.seePath("in/a")
		s.seeError(errAborted)
		s.seeTransfer(moved)
		s.seeEnd(nil, false)
		s.tell(reply{250, "Deleted."})
		s.timeLogin()
		s.tellLogin("bob", LoggedIn, nil, "")
		s.unsee()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// An idle observer does nothing.
type idleObserver struct{}

func (idleObserver) SessionBegan(Who)                    {}
func (idleObserver) SessionEnded(Who, Ending, string)    {}
func (idleObserver) LoginDone(Who, *LoginReport)         {}
func (idleObserver) HandshakeDone(Who, *HandshakeReport) {}
func (idleObserver) CommandDone(Who, *CommandReport)     {}

func BenchmarkNoted(b *testing.B) {
	for name, o := range map[string]Observer{"nobody": nil, "observer": idleObserver{}} {
		b.Run(name, func(b *testing.B) {
			srv := &Server{Log: slog.New(slog.DiscardHandler), Observer: o, Passive: PortRange{}}
			srv.prepare.Do(srv.setUp)
			near, far := net.Pipe()
			defer near.Close()
			defer far.Close()
			s := newSession(srv, near, door{remote: netip.MustParseAddrPort("192.0.2.1:4000")}, false)
			s.began = time.Now()
			s.tellBegin()
			line := []byte("NOOP")
			b.ReportAllocs()
			for b.Loop() {
				s.execute(b.Context(), append(line[:0:0], line...))
				s.ctl.out = s.ctl.out[:0]
			}
		})
	}
}
