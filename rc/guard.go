package rc

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// A Throttle makes wrong passwords cost time. Its methods may be called concurrently.
type Throttle interface {
	// Delay returns how long addr has to wait before its next password is looked at, and takes that
	// turn. It is false where that is too long.
	Delay(addr netip.Addr, now time.Time) (time.Duration, bool)
	// Failed notes a wrong password, and returns how many there have been and how long its answer
	// waits.
	Failed(addr netip.Addr, now time.Time) (failures int, wait time.Duration)
	// Succeeded forgets what addr has failed.
	Succeeded(addr netip.Addr)
}

var errTooManyGuesses = errors.New("too many wrong passwords")

// guard lets those who have no delay yet take turns, by their address: the first wrong password of
// many that come at a time delays the others. The zero value is ready.
type guard struct {
	mu    sync.Mutex
	turns map[netip.Addr]*turn // guarded by mu
}

type turn struct {
	users int           // guarded by guard.mu
	taken chan struct{} // has room for one
}

// take waits for the turn of addr and returns what gives it back, more than once if need be. It is
// nil when ctx ends.
func (g *guard) take(ctx context.Context, addr netip.Addr) func() {
	g.mu.Lock()
	if g.turns == nil {
		g.turns = map[netip.Addr]*turn{}
	}
	t := g.turns[addr]
	if t == nil {
		t = &turn{taken: make(chan struct{}, 1)}
		g.turns[addr] = t
	}
	t.users++
	g.mu.Unlock()
	leave := func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if t.users--; t.users == 0 {
			delete(g.turns, addr)
		}
	}
	select {
	case t.taken <- struct{}{}:
		return sync.OnceFunc(func() {
			<-t.taken
			leave()
		})
	case <-ctx.Done():
		leave()
		return nil
	}
}

// guess checks the password of r. It takes as long as the throttle says.
func (s *Server) guess(r *http.Request, user, password string) error {
	addr := remoteAddr(r)
	throttle := s.opt.Throttle
	if throttle == nil || !addr.IsValid() { // over a socket only the user that this process runs as comes
		if !s.opt.Check(user, password) {
			s.logDenied(r, user, 0)
			return errNoPassword
		}
		return nil
	}
	ctx := r.Context()
	giveBack := s.guard.take(ctx, addr)
	if giveBack == nil {
		return errNoPassword
	}
	defer giveBack()
	delay, ok := throttle.Delay(addr, time.Now())
	if !ok {
		return errTooManyGuesses
	}
	if delay > 0 {
		giveBack() // the turn at the end of the delay is taken
		sleep(ctx, delay)
		if ctx.Err() != nil {
			return errNoPassword
		}
	}
	if s.opt.Check(user, password) {
		throttle.Succeeded(addr)
		return nil
	}
	failures, wait := throttle.Failed(addr, time.Now())
	giveBack()
	s.logDenied(r, user, failures)
	sleep(ctx, wait)
	return errNoPassword
}

// logDenied is the line that FTP logs for a wrong password.
func (s *Server) logDenied(r *http.Request, user string, failures int) {
	s.log.LogAttrs(r.Context(), slog.LevelInfo, "login denied", slog.String("client", r.RemoteAddr),
		slog.String("user", user), slog.Int("failures", failures))
}

// remoteAddr is where r comes from; it is not valid for what came over a socket of this machine.
func remoteAddr(r *http.Request) netip.Addr {
	a, _ := netip.ParseAddrPort(r.RemoteAddr)
	return a.Addr().Unmap()
}

// sleep returns after d, or when ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// limited closes connections that are more than may be at a time.
type limited struct {
	net.Listener
	free chan struct{} // has room for as many as there may be; nil = any number
}

// Accept implements net.Listener.
func (l limited) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil || l.free == nil {
			return conn, err
		}
		select {
		case l.free <- struct{}{}:
			return &counted{Conn: conn, gone: sync.OnceFunc(func() { <-l.free })}, nil
		default:
			conn.Close()
		}
	}
}

// counted is a connection that makes room when it is closed.
type counted struct {
	net.Conn
	gone func()
}

// Close implements net.Conn.
func (c *counted) Close() error {
	defer c.gone()
	return c.Conn.Close()
}
