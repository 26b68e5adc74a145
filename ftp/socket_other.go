//go:build !linux

package ftp

import "net"

// adopt gives conn what the system offers beyond net.Conn: here nothing.
func adopt(conn net.Conn) net.Conn { return conn }

// quickAck is for systems that can be told when to acknowledge.
func quickAck(net.Conn) {}
