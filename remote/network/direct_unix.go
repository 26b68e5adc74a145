//go:build unix

package network

import (
	"net"
	"syscall"
)

// canLook reports whether isQuiet can tell.
const canLook = true

// isQuiet reports whether a connection that nothing is expected from has neither sent something nor
// ended.
func isQuiet(c net.Conn) bool {
	for {
		layer, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		c = layer.NetConn()
	}
	socket, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	quiet := false
	err = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK)
		quiet = err == syscall.EAGAIN
		return true
	})
	return err == nil && quiet
}
