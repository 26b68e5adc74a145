package ftp

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"time"
)

// tcpListener listens on one port for a data connection. It uses the minimum of system calls: four,
// where net.Listen takes seven; and one to accept, where the net package takes five. As most
// clients connect before they send the command that uses the connection, accept usually finds it in
// the queue, and neither is registered with the poller.
type tcpListener struct {
	socket
	port uint16
	zone string // of a link-local address
}

// backlog leaves room for strangers besides the expected client, until they are checked.
const backlog = 128

// listenPort listens on addr, or returns errPortTaken if the port is in use.
func listenPort(addr netip.AddrPort) (*tcpListener, error) {
	family, sa, err := sockaddr(addr)
	if err != nil {
		return nil, err
	}
	fd, err := syscall.Socket(family, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	l := &tcpListener{port: addr.Port(), zone: addr.Addr().Zone()}
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
		call, err = "listen", syscall.Listen(fd, backlog)
	}
	switch err {
	case nil:
		return nil
	case syscall.EADDRINUSE, syscall.EACCES:
		return fmt.Errorf("%w: %w", errPortTaken, err)
	}
	return os.NewSyscallError(call, err)
}

// accept returns the next connection and its peer.
func (l *tcpListener) accept() (net.Conn, netip.Addr, error) { return l.acceptBy(l.onReadable) }

// acceptNow accepts a connection that is in the queue. It fails if there is none, or if accept has
// waited before.
func (l *tcpListener) acceptNow() (net.Conn, netip.Addr, error) { return l.acceptBy(l.atOnce) }

func (l *tcpListener) acceptBy(how func(func(int) error) error) (net.Conn, netip.Addr, error) {
	for {
		fd, sa, err := acceptFD(how)
		switch {
		case err == syscall.ECONNABORTED:
			continue
		case err != nil:
			return nil, netip.Addr{}, os.NewSyscallError("accept4", err)
		}
		conn := &socket{fd: fd, remote: addrPortOf(sa, l.zone)}
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

func (l *tcpListener) setDeadline(t time.Time) { l.SetReadDeadline(t) }

// sockaddr returns addr in the form of the kernel, and its address family.
func sockaddr(addr netip.AddrPort) (family int, sa syscall.Sockaddr, err error) {
	ip := addr.Addr().Unmap()
	if ip.Is4() {
		return syscall.AF_INET, &syscall.SockaddrInet4{Port: int(addr.Port()), Addr: ip.As4()}, nil
	}
	sa6 := &syscall.SockaddrInet6{Port: int(addr.Port()), Addr: ip.As16()}
	if zone := ip.Zone(); zone != "" {
		n, err := strconv.ParseUint(zone, 10, 32)
		if err != nil {
			i, err := net.InterfaceByName(zone)
			if err != nil {
				return 0, nil, err
			}
			n = uint64(i.Index)
		}
		sa6.ZoneId = uint32(n)
	}
	return syscall.AF_INET6, sa6, nil
}

// addrPortOf returns the address in sa, with zone if it is link-local; IPv4-mapped IPv6 is IPv4.
func addrPortOf(sa syscall.Sockaddr, zone string) netip.AddrPort {
	switch sa := sa.(type) {
	case *syscall.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *syscall.SockaddrInet6:
		ip := netip.AddrFrom16(sa.Addr).Unmap()
		if ip.IsLinkLocalUnicast() {
			ip = ip.WithZone(zone)
		}
		return netip.AddrPortFrom(ip, uint16(sa.Port))
	}
	return netip.AddrPort{}
}
