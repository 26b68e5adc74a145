package network

import "net"

// Reset closes c so that the other side cannot take what came for the whole: what was not delivered
// yet is let go, nothing says that it was the end (no close_notify of TLS, no FIN of TCP). What is
// under way on c fails.
func Reset(c net.Conn) {
	for {
		layer, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		c = layer.NetConn()
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // one that is closed already has nothing to let go
	}
	c.Close()
}
