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

// A Throttle delays logins after wrong passwords. Its methods may be called concurrently.
type Throttle interface {
	// Turn waits until another password of addr may be checked, and returns a function that ends
	// the turn and may be called more than once; nil if ctx ends.
	Turn(ctx context.Context, addr netip.Addr) func()
	// Delay returns how long addr must wait before its next password is checked, and reserves that
	// slot. It returns false if that is too long.
	Delay(addr netip.Addr, now time.Time) (time.Duration, bool)
	// Failed records a wrong password, and returns how many there were and how long to delay its
	// reply.
	Failed(addr netip.Addr, now time.Time) (failures int, wait time.Duration)
	// Succeeded clears the failures of addr.
	Succeeded(addr netip.Addr)
}

var errTooManyGuesses = errors.New("too many wrong passwords")

// checkPassword returns what the password of r is good for, with the delay of the throttle.
func (s *Server) checkPassword(r *http.Request, user, password string) (Rights, error) {
	addr := remoteAddr(r)
	throttle := s.opt.Throttle
	if throttle == nil || !addr.IsValid() { // only the user of this process can connect to a socket
		rights := s.opt.Check(user, password)
		if rights == NoRights {
			s.logDenied(r, user, 0)
			return NoRights, errNoPassword
		}
		return rights, nil
	}
	ctx := r.Context()
	endTurn := throttle.Turn(ctx, addr)
	if endTurn == nil {
		return NoRights, errNoPassword
	}
	defer endTurn()
	delay, ok := throttle.Delay(addr, time.Now())
	if !ok {
		return NoRights, errTooManyGuesses
	}
	if delay > 0 {
		endTurn() // the slot at the end of the delay is reserved
		sleep(ctx, delay)
		if ctx.Err() != nil {
			return NoRights, errNoPassword
		}
	}
	if rights := s.opt.Check(user, password); rights != NoRights {
		throttle.Succeeded(addr)
		return rights, nil
	}
	failures, wait := throttle.Failed(addr, time.Now())
	endTurn()
	s.logDenied(r, user, failures)
	sleep(ctx, wait)
	return NoRights, errNoPassword
}

// logDenied logs a wrong password in the same form as FTP.
func (s *Server) logDenied(r *http.Request, user string, failures int) {
	s.log.LogAttrs(r.Context(), slog.LevelInfo, "login denied", slog.String("client", r.RemoteAddr),
		slog.String("user", user), slog.Int("failures", failures))
}

// remoteAddr returns the client address of r; it is not valid for a unix socket.
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

// limited is a listener with a limit of concurrent connections; it closes further ones.
type limited struct {
	net.Listener
	free chan struct{} // slots of connections; nil = no limit
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

// counted is a connection that frees its slot when it is closed.
type counted struct {
	net.Conn
	gone func()
}

// Close implements net.Conn.
func (c *counted) Close() error {
	defer c.gone()
	return c.Conn.Close()
}
