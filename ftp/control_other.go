//go:build !linux

package ftp

import (
	"errors"
	"net"
	"os"
	"time"
)

type waiter struct{}

func newWaiter(net.Conn) waiter { return waiter{} }

func (waiter) read(c *control) (int, error) {
	c.buf = lineBuffers.Get().(*[maxLine + 2]byte)
	return c.conn.Read(c.buf[:])
}

// peerGone reports whether the client has closed the connection and nothing it sent is waiting. It gives the end of the
// connection a moment to arrive. On TLS it cannot look without disturbing the record layer and answers false.
func (c *control) peerGone(within time.Duration) bool {
	if c.w > c.r || c.isTLS() {
		return false
	}
	if c.buf == nil {
		c.buf, c.r, c.w = lineBuffers.Get().(*[maxLine + 2]byte), 0, 0
	}
	c.tcp.SetReadDeadline(time.Now().Add(within))
	n, err := c.conn.Read(c.buf[c.w:])
	c.w += n
	return n == 0 && err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}
