package badnet

import (
	"net"
	"sync"
)

// proxied is one connection through a Proxy.
type proxied struct {
	p       *Proxy
	client  *net.TCPConn
	control bool          // of FTP
	gone    chan struct{} // closed by reset

	mu     sync.Mutex
	server *net.TCPConn // guarded by mu; nil until it is connected
	broken bool         // guarded by mu
}

// connected takes the other side in, unless c is broken already.
func (c *proxied) connected(server *net.TCPConn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken {
		server.Close()
		return false
	}
	c.server = server
	return true
}

// reset breaks both sides.
func (c *proxied) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.broken {
		c.broken = true
		close(c.gone)
	}
	for _, conn := range []*net.TCPConn{c.client, c.server} {
		if conn != nil {
			_ = conn.SetLinger(0) // an end without FIN
			conn.Close()
		}
	}
}

func (c *proxied) isBroken() bool {
	select {
	case <-c.gone:
		return true
	default:
		return false
	}
}
