package sock

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// Listener listens on one port for a data connection. It uses the minimum of system calls: four,
// where net.Listen takes seven; and one to accept, where the net package takes five. As most
// clients connect before they send the command that uses the connection, accept usually finds it in
// the queue, and neither is registered with the poller.
type Listener struct {
	Conn
	port uint16
	zone string // of a link-local address
}

// Backlog leaves room for strangers besides the expected client, until they are checked.
const Backlog = 128

// Listen listens on addr, or returns ErrPortTaken if the port is in use.
func Listen(addr netip.AddrPort) (*Listener, error) {
	family, sa, err := sockaddr(addr)
	if err != nil {
		return nil, err
	}
	fd, err := syscall.Socket(family, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	l := &Listener{port: addr.Port(), zone: addr.Addr().Zone()}
	l.fd = fd
	if err := listen(fd, sa); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// listen binds fd to sa. SO_REUSEADDR ignores connections in TIME-WAIT; two sockets may then bind
// to one port, and the second one fails to listen.
func listen(fd int, sa syscall.Sockaddr) error {
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	call, err := "bind", syscall.Bind(fd, sa)
	if err == nil {
		call, err = "listen", syscall.Listen(fd, Backlog)
	}
	switch err {
	case nil:
		return nil
	case syscall.EADDRINUSE, syscall.EACCES:
		return fmt.Errorf("%w: %w", ErrPortTaken, err)
	}
	return os.NewSyscallError(call, err)
}

// Accept returns the next connection and its peer.
func (l *Listener) Accept() (net.Conn, netip.Addr, error) { return l.acceptBy(l.onReadable) }

// AcceptNow accepts a connection that is in the queue. It fails if there is none. Accept may wait
// meanwhile.
func (l *Listener) AcceptNow() (net.Conn, netip.Addr, error) { return l.acceptBy(l.now) }

// now runs op once, whoever owns the descriptor.
func (l *Listener) now(op func(fd int) error) error {
	l.mu.Lock()
	polled, open := l.polled, l.fd >= 0
	l.mu.Unlock()
	if polled == nil || !open {
		return l.atOnce(op)
	}
	return controlPolled(polled, op)
}

func (l *Listener) acceptBy(how func(func(int) error) error) (net.Conn, netip.Addr, error) {
	for {
		fd, sa, err := acceptFD(how)
		switch {
		case err == syscall.ECONNABORTED:
			continue
		case err != nil:
			return nil, netip.Addr{}, os.NewSyscallError("accept4", err)
		}
		conn := &Conn{fd: fd, remote: addrPortOf(sa, l.zone)}
		return conn, conn.remote.Addr(), nil
	}
}

// acceptFD accepts at once or after waiting, depending on how.
func acceptFD(how func(func(int) error) error) (fd int, sa syscall.Sockaddr, err error) {
	accept := func(listening int) error {
		fd, sa, err = syscall.Accept4(listening, syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
		return err
	}
	if waited := how(accept); waited != nil {
		err = waited
	}
	return fd, sa, err
}

// SetAcceptDeadline sets the deadline of Accept.
func (l *Listener) SetAcceptDeadline(t time.Time) { l.SetReadDeadline(t) }

// Port returns the port number.
func (l *Listener) Port() uint16 { return l.port }
