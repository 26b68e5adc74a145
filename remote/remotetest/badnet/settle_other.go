//go:build !linux

package badnet

import (
	"net"
	"time"
)

// settle gives what was written to a connection the time to leave: a reset forgets what has not.
func settle(*net.TCPConn) { time.Sleep(20 * time.Millisecond) }
