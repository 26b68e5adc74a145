package network

import (
	"net"
	"sync/atomic"
	"time"
)

// A watchedConn fails when no byte has moved in either direction for timeout, or a sixteenth
// longer: a deadline costs too much to be set for each piece.
type watchedConn struct {
	net.Conn
	timeout time.Duration
	set     atomic.Int64 // when the deadline was set, in nanoseconds since 1970
	written atomic.Int64 // bytes
}

func (c *watchedConn) Read(p []byte) (int, error) {
	if err := c.postpone(); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(p)
	if n > 0 {
		_ = c.postpone() // if the connection is closed, the next call returns the error
	}
	return n, err
}

func (c *watchedConn) Write(p []byte) (int, error) {
	if err := c.postpone(); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(p)
	c.written.Add(int64(n))
	return n, err
}

// postpone makes the deadline timeout from now or later.
func (c *watchedConn) postpone() error {
	slack := c.timeout / 16
	now := time.Now()
	if age := now.UnixNano() - c.set.Load(); 0 <= age && age < int64(slack) {
		return nil
	}
	c.set.Store(now.UnixNano())
	return c.SetDeadline(now.Add(c.timeout).Add(slack))
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
