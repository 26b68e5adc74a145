package sock

import (
	"net"
	"syscall"
)

// SetLinger is as in net.TCPConn.
func (s *Conn) SetLinger(sec int) (err error) {
	l := syscall.Linger{Linger: int32(max(sec, 0))}
	if sec >= 0 {
		l.Onoff = 1
	}
	return s.control("setsockopt", func(fd int) error {
		return syscall.SetsockoptLinger(fd, syscall.SOL_SOCKET, syscall.SO_LINGER, &l)
	})
}

// SetNoDelay is as in net.TCPConn; the default is false.
func (s *Conn) SetNoDelay(on bool) error {
	value := 0
	if on {
		value = 1
	}
	return s.control("setsockopt", func(fd int) error {
		return syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, value)
	})
}

// LimitUnsent has the socket take no more than about n bytes that the kernel cannot send yet. It
// does not limit what is under way to the peer.
func (s *Conn) LimitUnsent(n int) error {
	return s.control("setsockopt", func(fd int) error { return limitUnsent(fd, n) })
}

// QuickAck makes the kernel acknowledge at once what has arrived, and what arrives until something
// is sent.
func (s *Conn) QuickAck() { s.control("setsockopt", quickAckOf) }

func quickAckOf(fd int) error {
	return syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
}

// QuickAck calls QuickAck of Conn, or its equivalent, on any connection that supports it.
func QuickAck(conn net.Conn) {
	switch c := conn.(type) {
	case interface{ QuickAck() }:
		c.QuickAck()
	case *net.TCPConn:
		controlPolled(c, quickAckOf)
	}
}

// UseThreads has SendFile block while t has room and the client is fast: the kernel then waits for
// room in the socket and goes on by itself, where otherwise several threads are woken to find the
// goroutine and to run it. Once it does not block any more, LimitUnsent(unsent) holds.
func (s *Conn) UseThreads(t *Threads, unsent int) error {
	s.mu.Lock()
	if s.fd >= 0 && s.polled == nil {
		s.threads, s.blocking, s.unsent = t, minBlocking, unsent
		s.mu.Unlock()
		return nil
	}
	s.mu.Unlock()
	return s.LimitUnsent(unsent)
}
