package network

import (
	"net"
	"sync/atomic"
	"time"
)

// A watchedConn fails when no byte has moved in either direction for timeout.
type watchedConn struct {
	net.Conn
	timeout time.Duration
	written atomic.Int64 // bytes
}

func (c *watchedConn) Read(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.timeout)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(p)
	if n > 0 {
		_ = c.SetDeadline(time.Now().Add(c.timeout)) // if the connection is closed, the next call returns the error
	}
	return n, err
}

func (c *watchedConn) Write(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.timeout)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(p)
	c.written.Add(int64(n))
	return n, err
}

// NetConn returns the wrapped connection.
func (c *watchedConn) NetConn() net.Conn { return c.Conn }

// watched returns the watchedConn at or below c, or nil.
func watched(c net.Conn) *watchedConn {
	for c != nil {
		if w, ok := c.(*watchedConn); ok {
			return w
		}
		layer, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		c = layer.NetConn()
	}
	return nil
}
