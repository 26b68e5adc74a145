package ftp

import (
	"fmt"
	"net"
	"sync/atomic"

	"ferry/remote"
)

// maxReply is how long a reply may be, all its lines together, with what TLS adds. The longest that
// is asked for is that to FEAT. Package textproto takes replies into memory.
const maxReply = 128 << 10

// errEndless is a reply that is longer than any can be.
var errEndless = fmt.Errorf("%w: a reply has no end", remote.ErrMalformed)

// A controlConn counts what is written, and lets no reply be too long. Every command is one Write.
type controlConn struct {
	net.Conn
	writes *atomic.Int64
	came   atomic.Int64 // since the last Write
}

func (c *controlConn) Write(p []byte) (int, error) {
	if c.came.Load() < maxReply { // a reply without end is the last one
		c.came.Store(0)
	}
	n, err := c.Conn.Write(p)
	if n > 0 || err == nil {
		c.writes.Add(1)
	}
	return n, err
}

func (c *controlConn) Read(p []byte) (int, error) {
	left := maxReply - c.came.Load()
	if left <= 0 {
		return 0, errEndless
	}
	n, err := c.Conn.Read(p[:min(int64(len(p)), left)])
	c.came.Add(int64(n))
	return n, err
}
