package ftp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// endpoint is set up by PASV, EPSV, PORT and EPRT: it opens the next data connection, once.
type endpoint interface {
	// open opens the connection. It uses up the endpoint, whatever the outcome.
	open(ctx context.Context) (net.Conn, error)
	// close releases the endpoint. It may be called more than once, and from another goroutine
	// while open waits: open then fails at once. It does not touch a connection that open has
	// returned.
	close()
	// dismiss closes an endpoint that open was not called on; connections made meanwhile are closed
	// properly. The client has wait to close its side, too; later bytes cause a reset. If the
	// client may have begun a TLS handshake, secure performs it first; it closes the connection and
	// returns nil on failure.
	dismiss(wait time.Duration, secure func(net.Conn) *dataConn)
}

var (
	errPortsExhausted = errors.New("every passive port is in use")
	errTooManyPorts   = errors.New("one user at one address has too many passive ports")
	errPortUnused     = errors.New("the port was not used for too long")
	errEndpointUsed   = errors.New("the data connection endpoint is closed or used up")
)

// active connects to the client (RFC 959, section 4.1.2, PORT; RFC 2428, section 2, EPRT).
type active struct {
	local   netip.Addr
	target  netip.AddrPort
	timeout time.Duration

	mu     sync.Mutex
	used   bool               // guarded by mu
	cancel context.CancelFunc // guarded by mu; ends a running open, nil before it
}

// newActive returns an endpoint that connects from local to target within timeout; the zero local
// leaves the choice to the system.
func newActive(local netip.Addr, target netip.AddrPort, timeout time.Duration) *active {
	return &active{local: local, target: target, timeout: timeout}
}

func (a *active) open(ctx context.Context) (net.Conn, error) {
	dialing, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	a.mu.Lock()
	used := a.used
	a.used, a.cancel = true, cancel
	a.mu.Unlock()
	if used {
		return nil, errEndpointUsed
	}
	d := net.Dialer{KeepAlive: -1} // transfers have the stall timeout
	if a.local.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(a.local, 0))
	}
	conn, err := d.DialContext(dialing, "tcp", a.target.String())
	if err == nil {
		return conn, nil
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return nil, fmt.Errorf("opening the data connection: %w", err)
}

func (a *active) dismiss(time.Duration, func(net.Conn) *dataConn) { a.close() }

func (a *active) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.used = true
	if a.cancel != nil {
		a.cancel()
	}
}

// closeEndpoint closes the endpoint of a data connection that was not used.
func (s *session) closeEndpoint() {
	if s.endpoint != nil {
		s.endpoint.dismiss(0, nil)
		s.endpoint = nil
	}
}

// dismissData closes the data connection of a refused transfer, after the reply on the control
// connection was sent. If the client may be sending already, it gets some time to close its side,
// and over TLS to finish its handshake: some clients end the session after a broken one.
func (s *session) dismissData(to direction) {
	var (
		wait   time.Duration
		secure func(net.Conn) *dataConn
	)
	if s.ctl.flush() == nil && (to == fromClient || s.private) {
		wait = lingerTime
	}
	if wait > 0 && s.private {
		secure = func(conn net.Conn) *dataConn {
			c := newDataConn(conn, lingerTime, s.srv.dataStall())
			c.vhost = s.vhost
			if c.secure(context.Background(), s.srv.tls.data(s.id, c.tap.hold)) != nil {
				return nil
			}
			return c
		}
	}
	s.endpoint.dismiss(wait, secure)
	s.endpoint = nil
}

// newDataConn returns a dataConn for a connection that an endpoint has opened.
func (s *session) newDataConn(conn net.Conn) *dataConn {
	c := newDataConn(conn, s.srv.dataConnect(), s.srv.dataStall())
	c.vhost = s.vhost
	c.tap.rate, c.tap.rateTime = s.srv.tuned().MinRate, time.Minute
	c.tap.threads = &s.srv.threads
	return c
}

// noPort returns the reply if a data connection cannot be opened because of err.
func noPort(err error) reply {
	why := shortage(err)
	switch {
	case errors.Is(err, errNotResumed):
		return reply{522, "The data connection must resume the TLS session of the control connection."}
	case why != "":
	case errors.Is(err, errPortsExhausted):
		why = "No passive port is free; try again later."
	case errors.Is(err, errPortUnused):
		why = "The port was not used for too long; send PASV or EPSV again."
	default:
		why = "Cannot open the data connection."
	}
	return reply{425, why}
}
