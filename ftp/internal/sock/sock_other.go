//go:build !linux

package sock

import "net"

// Wrap adds what the system offers beyond net.Conn: nothing here.
func Wrap(conn net.Conn) net.Conn { return conn }

// QuickAck does nothing on this system.
func QuickAck(net.Conn) {}

// Threads bounds how many connections wait on a thread at once: none on this system.
type Threads struct{}
