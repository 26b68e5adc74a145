package sock

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// A client that reads nothing fills its own buffer and the window; what the kernel could not send
// stays with the server, and LimitUnsent says how much that is.
func TestLittleWaitsToBeSent(t *testing.T) {
	const limit = 128 << 10
	free := unsentOf(t, func(*Conn) error { return nil })
	limited := unsentOf(t, func(c *Conn) error { return c.LimitUnsent(limit) })
	if limited > 2*limit {
		t.Errorf("%d bytes wait to be sent with a limit of %d", limited, limit)
	}
	if free <= limited {
		t.Errorf("%d bytes wait without a limit, %d with one", free, limited)
	}
}

// unsentOf returns how many bytes a connection that set was called with holds unsent when it takes
// no more.
func unsentOf(t *testing.T, set func(*Conn) error) int {
	t.Helper()
	conn, _ := pair(t)
	if err := set(conn); err != nil {
		t.Fatal(err)
	}
	if err := fillUp(conn, sparseFile(t)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	return unsent(t, conn)
}

// pair returns both ends of a connection.
func pair(t *testing.T) (*Conn, *net.TCPConn) {
	t.Helper()
	l, err := Listen(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	accepted, _, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { accepted.Close() })
	return accepted.(*Conn), client.(*net.TCPConn)
}

// sparseFile is large and costs nothing.
func sparseFile(t *testing.T) *os.File {
	t.Helper()
	file, err := os.Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	if err := file.Truncate(1 << 30); err != nil {
		t.Fatal(err)
	}
	return file
}

// fillUp sends until the connection takes no more.
func fillUp(conn *Conn, file *os.File) (err error) {
	conn.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
	for err == nil {
		_, err = conn.SendFile(file, 4<<20)
	}
	return err
}

func unsent(t *testing.T, conn *Conn) int {
	t.Helper()
	var unsent int32
	err := conn.control("ioctl", func(fd int) error {
		const outQueueNotSent = 0x894B // SIOCOUTQNSD of tcp(7)
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), outQueueNotSent, uintptr(unsafe.Pointer(&unsent))); errno != 0 {
			return errno
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return int(unsent)
}
