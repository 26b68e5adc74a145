//go:build !unix

package network

import "net"

// canLook reports whether isQuiet can tell.
const canLook = false

func isQuiet(net.Conn) bool { return false }
