package ftp

import (
	"net"
	"syscall"
)

// waiter waits until the control connection is readable and only then takes a buffer, so that an
// idle session holds none.
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
			// Urgent data stays in the stream: the DM of a Telnet Synch stays where the client put
			// it.
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
