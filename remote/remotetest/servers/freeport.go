package servers

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"testing"
)

// FreePort returns a TCP port that nobody listens on, for servers that cannot choose one and say
// which. Nobody else gets it from here until the test ends.
func FreePort(t testing.TB) int {
	t.Helper()
	return FreePorts(t, 1)
}

// FreePorts is FreePort for some ports in a row. It returns the first.
//
// They are below those that systems give to whoever asks for any, and at 16384 or above. That
// nobody listens on them yet is not enough: haproxy, for one, shares its ports with whoever wants
// to share, so two of them would get each other's connections. So the test holds the UDP port of
// each of these numbers, by which all tests of this machine tell each other.
func FreePorts(t testing.TB, count int) int {
	t.Helper()
	const low, high = 16 << 10, 32 << 10
	for range 1000 {
		first := low + rand.IntN(high-low-count)
		held := hold(first, count)
		if held == nil {
			continue
		}
		t.Cleanup(func() { closeAll(held) })
		return first
	}
	t.Fatalf("there are no %d free ports in a row", count)
	return 0
}

// hold takes the UDP ports of numbers whose TCP ports are free, or returns nil.
func hold(first, count int) []io.Closer {
	var held []io.Closer
	for port := first; port < first+count; port++ {
		addr := fmt.Sprintf("127.0.0.1:%d", port)
		l, err := net.Listen("tcp", addr)
		if err != nil {
			closeAll(held)
			return nil
		}
		mark, err := net.ListenPacket("udp", addr)
		l.Close()
		if err != nil {
			closeAll(held)
			return nil
		}
		held = append(held, mark)
	}
	return held
}

func closeAll(held []io.Closer) {
	for _, h := range held {
		h.Close()
	}
}
