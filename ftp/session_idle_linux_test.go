package ftp_test

import (
	"net"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"ferry/remote/driver/memory"
)

// BenchmarkIdleSession reports what a session that waits for a command costs in the server: heap
// and stacks. The client side is made of bare descriptors, which cost nothing here.
func BenchmarkIdleSession(b *testing.B) {
	srv := newServer(b, memory.New(), nil)
	host, port, _ := net.SplitHostPort(serveOn(b, srv, "127.0.0.1:0"))
	addr, err := net.ResolveTCPAddr("tcp", net.JoinHostPort(host, port))
	if err != nil {
		b.Fatal(err)
	}
	const sessions = 500
	for b.Loop() {
		before := memoryInUse()
		var fds []int
		for range sessions {
			fds = append(fds, idleSession(b, addr))
		}
		b.ReportMetric(float64(memoryInUse()-before)/sessions, "B/session")
		for _, fd := range fds {
			syscall.Close(fd)
		}
	}
}

func idleSession(b *testing.B, addr *net.TCPAddr) int {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		b.Fatal(err)
	}
	sa := &syscall.SockaddrInet4{Port: addr.Port, Addr: [4]byte(addr.IP.To4())}
	if err := syscall.Connect(fd, sa); err != nil {
		b.Fatal(err)
	}
	syscall.Write(fd, []byte("USER bob\r\nPASS x\r\nPWD\r\nSYST\r\nFEAT\r\n"))
	var got strings.Builder
	buf := make([]byte, 4096)
	for !strings.Contains(got.String(), "211 End") {
		n, err := syscall.Read(fd, buf)
		if n <= 0 {
			b.Fatal(err)
		}
		got.Write(buf[:n])
	}
	return fd
}

func memoryInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
