//go:build !linux

package sock

import (
	"net"
	"sync"
)

// Waiter reads a control connection. On this system it needs a buffer to wait.
type Waiter struct{}

// NewWaiter returns a Waiter for conn.
func NewWaiter(net.Conn) Waiter { return Waiter{} }

// Read waits for input on conn and reads n bytes into a *Buffer of pool. The caller puts it back.
func (Waiter) Read(conn net.Conn, pool *sync.Pool) (buf *Buffer, n int, err error) {
	buf = pool.Get().(*Buffer)
	n, err = conn.Read(buf[:])
	return buf, n, err
}
