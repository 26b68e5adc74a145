//go:build !linux

package ftp

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// backlog is about how many connections the queue holds.
const backlog = 128

// tcpListener listens on one port for a data connection.
type tcpListener struct {
	*net.TCPListener
	port uint16
}

// listenPort listens on addr. Any failure counts as errPortTaken, because systems report it
// differently.
func listenPort(addr netip.AddrPort) (*tcpListener, error) {
	lc := net.ListenConfig{KeepAlive: -1}
	l, err := lc.Listen(context.Background(), "tcp", addr.String())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPortTaken, err)
	}
	return &tcpListener{TCPListener: l.(*net.TCPListener), port: addr.Port()}, nil
}

// accept returns the next connection and its peer.
func (l *tcpListener) accept() (net.Conn, netip.Addr, error) {
	conn, err := l.AcceptTCP()
	if err != nil {
		return nil, netip.Addr{}, err
	}
	peer := conn.RemoteAddr().(*net.TCPAddr).AddrPort()
	return conn, peer.Addr().Unmap(), nil
}

// acceptNow accepts a connection that is in the queue.
func (l *tcpListener) acceptNow() (net.Conn, netip.Addr, error) {
	l.setDeadline(time.Now().Add(time.Millisecond))
	return l.accept()
}

func (l *tcpListener) setDeadline(t time.Time) { l.SetDeadline(t) }
