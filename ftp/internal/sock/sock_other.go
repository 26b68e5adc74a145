//go:build !linux

package sock

import "net"

// Wrap adds what the system offers beyond net.Conn: nothing here.
func Wrap(conn net.Conn) net.Conn { return conn }

// QuickAck does nothing on this system.
func QuickAck(net.Conn) {}
