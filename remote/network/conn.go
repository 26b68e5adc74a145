package network

import (
	"net"
	"sync/atomic"
	"time"
)

// A watchedConn fails when nothing has moved in either direction for the time of timeout.
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
		_ = c.SetDeadline(time.Now().Add(c.timeout)) // a connection that is closed says so at the next call
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

// NetConn returns what is below.
func (c *watchedConn) NetConn() net.Conn { return c.Conn }

// watched returns the watchedConn at or below c, nil if there is none.
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
