package ftp

import (
	"net"
	"syscall"
	"time"
	"unsafe"
)

// waiter waits for the control connection to become readable and only then takes a buffer, so that an idle session
// costs none.
type waiter struct {
	raw syscall.RawConn
	n   int
	err error
}

func newWaiter(conn net.Conn) waiter {
	var w waiter
	if t, isTCP := conn.(*net.TCPConn); isTCP {
		w.raw, _ = t.SyscallConn()
		if w.raw != nil {
			// Urgent data stays in the stream: the DM of a Telnet Synch is found where the client put it.
			w.raw.Control(func(fd uintptr) {
				syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_OOBINLINE, 1)
			})
		}
	}
	return w
}

func (w *waiter) read(c *control) (int, error) {
	if w.raw == nil {
		c.buf = lineBuffers.Get().(*[maxLine + 2]byte)
		return c.conn.Read(c.buf[:])
	}
	err := w.raw.Read(func(fd uintptr) bool {
		buf := lineBuffers.Get().(*[maxLine + 2]byte)
		for {
			w.n, w.err = syscall.Read(int(fd), buf[:])
			if w.err != syscall.EINTR {
				break
			}
		}
		if w.n > 0 {
			c.buf = buf
			return true
		}
		lineBuffers.Put(buf)
		return w.err != syscall.EAGAIN
	})
	if err != nil {
		return 0, err
	}
	return max(w.n, 0), w.err
}

// peerGone reports whether the client has closed the connection and nothing it sent is waiting. It gives the end of the
// connection a moment to arrive: two connections that a killed client leaves behind end one after the other.
func (c *control) peerGone(within time.Duration) bool {
	if c.w > c.r || c.wait.raw == nil {
		return false
	}
	gone := false
	c.wait.raw.Control(func(fd uintptr) {
		if !waitReadable(int(fd), within) {
			return
		}
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		gone = n == 0 && err == nil || err != nil && err != syscall.EAGAIN && err != syscall.EINTR
	})
	return gone
}

// waitReadable waits until something can be read from fd, the end included. The poller of the runtime counts in
// milliseconds, which is too long to wait for nothing after each small file.
func waitReadable(fd int, within time.Duration) bool {
	type pollFD struct {
		fd      int32
		events  int16
		revents int16
	}
	const pollIn = 0x1
	p := pollFD{fd: int32(fd), events: pollIn}
	timeout := syscall.NsecToTimespec(int64(within))
	n, _, _ := syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&p)), 1, uintptr(unsafe.Pointer(&timeout)), 0, 0, 0)
	return n == 1
}
