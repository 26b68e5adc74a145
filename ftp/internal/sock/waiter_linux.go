package sock

import (
	"net"
	"sync"
	"syscall"
)

// Waiter waits until a control connection is readable and only then takes a buffer, so that an idle
// session holds none.
type Waiter struct {
	raw syscall.RawConn
	buf *Buffer
	n   int
	err error
}

// NewWaiter returns a Waiter for conn.
func NewWaiter(conn net.Conn) Waiter {
	var w Waiter
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

// Read waits for input on conn, the connection of NewWaiter, and reads n bytes into a *Buffer of
// pool. The buffer may be nil if n is 0; otherwise the caller puts it back.
func (w *Waiter) Read(conn net.Conn, pool *sync.Pool) (buf *Buffer, n int, err error) {
	if w.raw == nil {
		buf = pool.Get().(*Buffer)
		n, err = conn.Read(buf[:])
		return buf, n, err
	}
	w.buf = nil
	err = w.raw.Read(func(fd uintptr) bool {
		buf := pool.Get().(*Buffer)
		for {
			w.n, w.err = syscall.Read(int(fd), buf[:])
			if w.err != syscall.EINTR {
				break
			}
		}
		if w.n > 0 {
			w.buf = buf
			return true
		}
		pool.Put(buf)
		return w.err != syscall.EAGAIN
	})
	buf, w.buf = w.buf, nil
	if err != nil {
		return buf, 0, err
	}
	return buf, max(w.n, 0), w.err
}
