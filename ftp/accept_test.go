package ftp_test

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"ferry/ftp"
	"ferry/remote/driver/memory"
)

// addressed is a connection from an address.
type addressed struct {
	net.Conn
	from string
}

func (a addressed) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(a.from))
}

// visit begins a session from an address, which must be greeted with the code.
func visit(t *testing.T, l *pipeListener, from, code string) *dialogue {
	t.Helper()
	ours, theirs := net.Pipe()
	l.conns <- addressed{theirs, from}
	d := &dialogue{t: t, where: from, raw: ours, conn: ours}
	d.resetReader()
	d.reply(code)
	synctest.Wait()
	return d
}

func withVisitors(t *testing.T, srv *ftp.Server, talk func(l *pipeListener)) {
	synctest.Test(t, func(t *testing.T) {
		l := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
		served := make(chan error, 1)
		go func() { served <- srv.Serve(context.Background(), l) }()
		talk(l)
		srv.Close()
		<-served
	})
}

func TestSessionsAreLimited(t *testing.T) {
	srv := newServer(t, memory.New(), nil)
	srv.MaxSessions, srv.MaxSessionsPerHost = 3, 2
	withVisitors(t, srv, func(l *pipeListener) {
		first := visit(t, l, "192.0.2.1:1001", "220")
		defer visit(t, l, "192.0.2.1:1002", "220").hangUp()
		visit(t, l, "192.0.2.1:1003", "421").hangUp()
		defer visit(t, l, "[2001:db8::1]:1004", "220").hangUp()
		visit(t, l, "[2001:db8::2]:1005", "421").hangUp() // too many in all
		first.steps("login")
		first.hangUp()
		synctest.Wait()
		defer visit(t, l, "[2001:db8::2]:1006", "220").hangUp()
		if s := srv.Stats(); s.Sessions != 3 || s.SessionsTotal != 4 || s.Refused != 2 {
			t.Errorf("%+v", s)
		}
	})
}

func TestWrongPasswordsSlowDownAllSessionsOfTheirAddress(t *testing.T) {
	srv := newServer(t, memory.New(), map[string]bool{"password": true})
	withVisitors(t, srv, func(l *pipeListener) {
		try := func(from, password, code string, want time.Duration) {
			t.Helper()
			d := visit(t, l, from, "220")
			defer d.hangUp()
			d.steps("> USER bob", "<< 331")
			begun := time.Now()
			d.steps("> PASS "+password, "<< "+code)
			if took := time.Since(begun); took != want {
				t.Errorf("PASS %s took %v, want %v", password, took, want)
			}
		}
		const half = 500 * time.Millisecond
		try("192.0.2.1:1001", "wrong", "530", half)
		try("192.0.2.1:1002", "wrong", "530", half)
		try("192.0.2.1:1003", "wrong", "530", 2*half) // half of it before it is looked at
		try("192.0.2.2:1004", "secret", "230", 0)
		try("192.0.2.1:1005", "secret", "230", 2*half)
		try("192.0.2.1:1006", "secret", "230", 0)
	})
}

// Those who have not logged in are fewer than the sessions there may be, and few from one address:
// they can keep nobody out who logs in.
func TestSessionsBeforeLoginAreLimited(t *testing.T) {
	srv := newServer(t, memory.New(), nil)
	srv.MaxSessions = 60
	withVisitors(t, srv, func(l *pipeListener) {
		var silent []*dialogue
		from := func(host byte, n int, code string) {
			t.Helper()
			for range n {
				d := visit(t, l, netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, host}), uint16(1000+len(silent))).String(), code)
				silent = append(silent, d)
			}
		}
		defer func() {
			for _, d := range silent {
				d.hangUp()
			}
		}()
		from(1, 11, "220") // a quarter of those who have not logged in
		from(1, 1, "421")
		for _, d := range silent[:5] {
			d.steps("login")
		}
		from(1, 5, "220")
		from(1, 1, "421")
		silent[0].steps("> REIN", "<< 220") // it has not logged in any more
		silent[1].hangUp()
		synctest.Wait()
		from(1, 1, "421")
		for host := byte(2); host <= 4; host++ {
			from(host, 11, "220")
		}
		from(5, 1, "421") // 45 in all
		silent[6].steps("login")
		from(5, 1, "220")
		from(6, 1, "421")
		if s := srv.Stats(); s.Sessions != 49 {
			t.Errorf("%d sessions", s.Sessions)
		}
	})
}
