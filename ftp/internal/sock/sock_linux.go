package sock

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// Conn is a stream socket that registers with the runtime's poller only when it has to wait. A
// small download never waits: its bytes fit into the send buffer. With a listener of the same kind
// that makes nine system calls instead of fifteen.
//
// One goroutine reads and writes; the other methods may be called from any.
type Conn struct {
	remote netip.AddrPort // the peer of an accepted connection

	mu      sync.Mutex // held during system calls on fd, none of which waits for the network
	fd      int        // guarded by mu; owned while polled is nil; -1 when closed
	polled  pollable   // guarded by mu; owns the descriptor from the first wait on
	readBy  time.Time  // guarded by mu
	writeBy time.Time  // guarded by mu

	threads  *Threads // guarded by mu; nil = SendFile does not block
	unsent   int      // guarded by mu; limit when it does not
	blocking int      // guarded by mu; how many bytes it sends by a call that blocks
	parked   bool     // guarded by mu; such a call runs, without mu, and owns fd after Close
}

// pollable are the common methods of *os.File and *net.TCPConn.
type pollable interface {
	io.ReadWriteCloser
	syscall.Conn
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// Wrap makes a connection of the net package usable for transfers inside the kernel.
func Wrap(conn net.Conn) net.Conn {
	if t, is := conn.(*net.TCPConn); is {
		return &Conn{remote: t.RemoteAddr().(*net.TCPAddr).AddrPort(), polled: t}
	}
	return conn
}

// Read is as in net.Conn.
func (s *Conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n := 0
	err := s.atOnce(func(fd int) (err error) {
		n, err = syscall.Read(fd, p)
		return err
	})
	switch {
	case err == syscall.EAGAIN:
		w, err := s.waiter()
		if err != nil {
			return 0, err
		}
		return w.Read(p)
	case err != nil:
		return 0, s.opError("read", err)
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// Write is as in net.Conn.
func (s *Conn) Write(p []byte) (written int, err error) {
	for written < len(p) {
		err := s.atOnce(func(fd int) error {
			n, err := syscall.Write(fd, p[written:])
			written += max(n, 0)
			return err
		})
		switch {
		case err == syscall.EAGAIN:
			w, err := s.waiter()
			if err != nil {
				return written, err
			}
			n, err := w.Write(p[written:])
			return written + n, err
		case err != nil:
			return written, s.opError("write", err)
		}
	}
	return written, nil
}

// SendFile moves up to n bytes from f's position to the socket, inside the kernel. It returns after
// the first that could be moved, on threads (UseThreads) soon after, with 0 at the end of f.
func (s *Conn) SendFile(f *os.File, n int) (int64, error) {
	from, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	moved, err := s.sendBlocking(from, n)
	if err != syscall.EAGAIN {
		return int64(moved), s.opError("sendfile", err)
	}
	err = s.onWritable(func(fd int) (err error) {
		outer := from.Control(func(file uintptr) {
			moved, err = syscall.Sendfile(fd, int(file), nil, n)
		})
		if outer != nil {
			return outer
		}
		return err
	})
	return int64(max(moved, 0)), s.opError("sendfile", err)
}

// TCP converts the socket to a *net.TCPConn, which os.File.ReadFrom and the like recognise for a
// transfer inside the kernel. It costs a dozen system calls: more than a small file, little for a
// large one.
func (s *Conn) TCP() (*net.TCPConn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, is := s.polled.(*net.TCPConn); is && s.fd >= 0 {
		return c, nil
	}
	file, err := s.filed()
	if err != nil {
		return nil, err
	}
	c, err := net.FileConn(file)
	if err != nil {
		return nil, err
	}
	t, is := c.(*net.TCPConn)
	if !is {
		c.Close()
		return nil, errors.ErrUnsupported
	}
	file.Close()
	t.SetReadDeadline(s.readBy)
	t.SetWriteDeadline(s.writeBy)
	s.polled = t
	return t, nil
}

// Close is as in net.Conn. A blocked call returns at once; during SendFile the connection is reset.
func (s *Conn) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	fd := s.fd
	s.fd = -1
	switch {
	case fd < 0:
		return net.ErrClosed
	case s.polled != nil:
		return s.polled.Close()
	case s.parked:
		cut(fd)
		return nil
	}
	return os.NewSyscallError("close", syscall.Close(fd))
}

// CloseWrite is as in net.TCPConn.
func (s *Conn) CloseWrite() error {
	return s.control("shutdown", func(fd int) error { return syscall.Shutdown(fd, syscall.SHUT_WR) })
}

// RemoteAddr returns the peer.
func (s *Conn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(s.remote) }

// LocalAddr queries the kernel; it is rarely needed.
func (s *Conn) LocalAddr() net.Addr {
	var local netip.AddrPort
	s.control("getsockname", func(fd int) error {
		sa, err := syscall.Getsockname(fd)
		local = addrPortOf(sa, s.remote.Addr().Zone())
		return err
	})
	return net.TCPAddrFromAddrPort(local)
}

// SetDeadline is as in net.Conn.
func (s *Conn) SetDeadline(t time.Time) error {
	return errors.Join(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}

// SetReadDeadline is as in net.Conn.
func (s *Conn) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readBy = t
	if s.polled == nil {
		return nil
	}
	return s.polled.SetReadDeadline(t)
}

// SetWriteDeadline is as in net.Conn.
func (s *Conn) SetWriteDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writeBy = t
	if s.polled == nil {
		return nil
	}
	return s.polled.SetWriteDeadline(t)
}

// atOnce runs op without waiting. If the poller owns the socket, it returns EAGAIN.
func (s *Conn) atOnce(op func(fd int) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.fd < 0:
		return net.ErrClosed
	case s.polled != nil:
		return syscall.EAGAIN
	}
	for {
		if err := op(s.fd); err != syscall.EINTR {
			return err
		}
	}
}

// onReadable repeats op while it returns EAGAIN, waiting for the socket to become readable.
func (s *Conn) onReadable(op func(fd int) error) error {
	return s.retry(op, syscall.RawConn.Read)
}

// onWritable is onReadable for writing.
func (s *Conn) onWritable(op func(fd int) error) error {
	return s.retry(op, syscall.RawConn.Write)
}

func (s *Conn) retry(op func(fd int) error, wait func(syscall.RawConn, func(uintptr) bool) error) error {
	err := s.atOnce(op)
	if err != syscall.EAGAIN {
		return err
	}
	w, err := s.waiter()
	if err != nil {
		return err
	}
	raw, err := w.SyscallConn()
	if err != nil {
		return err
	}
	waited := wait(raw, func(fd uintptr) bool {
		err = op(int(fd))
		return err != syscall.EAGAIN && err != syscall.EINTR
	})
	switch {
	case waited == nil:
		return err
	case s.closed():
		return net.ErrClosed
	}
	return waited
}

// Polled reports whether the connection is registered with the poller: it has waited, or was
// converted.
func (s *Conn) Polled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.polled != nil
}

func (s *Conn) closed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fd < 0
}

// control runs op, which does not depend on readiness, whoever owns the descriptor.
func (s *Conn) control(name string, op func(fd int) error) error {
	err := s.atOnce(op)
	if err == syscall.EAGAIN {
		var w pollable
		if w, err = s.waiter(); err == nil {
			err = controlPolled(w, op)
		}
	}
	return s.opError(name, err)
}

func controlPolled(w pollable, op func(fd int) error) error {
	raw, err := w.SyscallConn()
	if err != nil {
		return err
	}
	outer := raw.Control(func(fd uintptr) { err = op(int(fd)) })
	if outer != nil {
		return outer
	}
	return err
}

// waiter registers the socket with the poller, unless it is registered.
func (s *Conn) waiter() (pollable, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.polled != nil && s.fd >= 0 {
		return s.polled, nil
	}
	return s.filed()
}

// filed returns the socket as a file, which is the cheapest way to the poller. The caller holds mu.
func (s *Conn) filed() (*os.File, error) {
	if s.fd < 0 {
		return nil, net.ErrClosed
	}
	if f, is := s.polled.(*os.File); is {
		return f, nil
	}
	f := os.NewFile(uintptr(s.fd), "data connection")
	f.SetReadDeadline(s.readBy)
	f.SetWriteDeadline(s.writeBy)
	s.polled = f
	return f, nil
}

// opError adds the operation that failed.
func (s *Conn) opError(op string, err error) error {
	if err == nil || errors.Is(err, net.ErrClosed) {
		return err
	}
	return fmt.Errorf("data connection: %w", os.NewSyscallError(op, err))
}
