//go:build !linux

package sock

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// Backlog is about how many connections the queue holds.
const Backlog = 128

// Listener listens on one port for a data connection.
type Listener struct {
	*net.TCPListener
	port uint16
}

// Listen listens on addr. Any failure counts as ErrPortTaken, because systems report it
// differently.
func Listen(addr netip.AddrPort) (*Listener, error) {
	lc := net.ListenConfig{KeepAlive: -1}
	l, err := lc.Listen(context.Background(), "tcp", addr.String())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPortTaken, err)
	}
	return &Listener{TCPListener: l.(*net.TCPListener), port: addr.Port()}, nil
}

// Accept returns the next connection and its peer.
func (l *Listener) Accept() (net.Conn, netip.Addr, error) {
	conn, err := l.AcceptTCP()
	if err != nil {
		return nil, netip.Addr{}, err
	}
	peer := conn.RemoteAddr().(*net.TCPAddr).AddrPort()
	return conn, peer.Addr().Unmap(), nil
}

// AcceptNow accepts a connection that is in the queue. It ends an Accept that waits meanwhile, as a
// deadline does.
func (l *Listener) AcceptNow() (net.Conn, netip.Addr, error) {
	l.SetAcceptDeadline(time.Now().Add(time.Millisecond))
	return l.Accept()
}

// SetAcceptDeadline sets the deadline of Accept.
func (l *Listener) SetAcceptDeadline(t time.Time) { l.SetDeadline(t) }

// Port returns the port number.
func (l *Listener) Port() uint16 { return l.port }
