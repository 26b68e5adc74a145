//go:build !linux

package ftp

import "net"

// wrapConn adds what the system offers beyond net.Conn: nothing here.
func wrapConn(conn net.Conn) net.Conn { return conn }

// quickAck does nothing on this system.
func quickAck(net.Conn) {}
