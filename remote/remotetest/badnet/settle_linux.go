package badnet

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// settleTime is how long a reader that does not read holds a break up.
const settleTime = 5 * time.Second

// settle waits until the other side has got what was written to conn: a reset forgets what has not
// left.
func settle(conn *net.TCPConn) {
	for end := time.Now().Add(settleTime); unsent(conn) > 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
}

// unsent returns how many bytes written to conn the other side has not acknowledged; 0 when conn is
// closed.
func unsent(conn *net.TCPConn) int {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0
	}
	n := 0
	if raw.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) }) != nil || err != nil {
		return 0
	}
	return n
}
