package network

import "net"

// Reset closes c in such a way that the peer cannot take the data received so far for complete:
// undelivered data is discarded, and no end is signalled (no close_notify of TLS, no FIN of TCP).
// Calls in progress on c fail.
func Reset(c net.Conn) {
	for {
		layer, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		c = layer.NetConn()
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // if it is closed already, there is nothing to discard
	}
	c.Close()
}
