//go:build !linux

package sock

import "net"

// Wrap adds what the system offers beyond net.Conn: nothing here.
func Wrap(conn net.Conn) net.Conn { return conn }

// OnWait calls f at once on this system.
func OnWait(_ net.Conn, f func()) { f() }

// QuickAck does nothing on this system.
func QuickAck(net.Conn) {}
