//go:build !linux

package ftp

import "net"

type waiter struct{}

func newWaiter(net.Conn) waiter { return waiter{} }

func (waiter) read(c *control) (int, error) {
	c.buf = lineBuffers.Get().(*[maxLine + 2]byte)
	return c.conn.Read(c.buf[:])
}
