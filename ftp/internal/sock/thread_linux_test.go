package sock

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A fast client is served by calls that block, and its connection never meets the poller. The
// client of this test may lose the processor for so long that it counts as slow.
func TestAFastClientIsServedOnAThread(t *testing.T) {
	for range 50 {
		conn, client := pair(t)
		var threads Threads
		if err := conn.UseThreads(&threads, 1<<20); err != nil {
			t.Fatal(err)
		}
		go io.Copy(io.Discard, client)
		sendAll(t, conn, sparseFile(t), 64<<20)
		if n := threads.busy.Load(); n != 0 {
			t.Fatalf("%d threads are counted after the transfer", n)
		}
		if !conn.Polled() {
			return
		}
	}
	t.Error("the poller had to wait for every one of the fast clients")
}

// sendAll sends n bytes.
func sendAll(t *testing.T, conn *Conn, file *os.File, n int64) {
	t.Helper()
	for n > 0 {
		m, err := conn.SendFile(file, int(min(n, maxBlocking)))
		if err != nil || m <= 0 {
			t.Fatalf("%d bytes, %v", m, err)
		}
		n -= m
	}
}

// A slow client is given to the poller, with the limit on unsent bytes, and its thread is free.
func TestASlowClientGetsNoThread(t *testing.T) {
	const limit = 128 << 10
	conn, client := pair(t)
	var threads Threads
	if err := conn.UseThreads(&threads, limit); err != nil {
		t.Fatal(err)
	}
	file := sparseFile(t)
	if err := fillUp(conn, file); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	if n := threads.busy.Load(); n != 0 || !conn.Polled() {
		t.Errorf("%d threads wait, polled: %t", n, conn.Polled())
	}
	if _, err := io.CopyN(io.Discard, client, int64(unsent(t, conn))); err != nil {
		t.Fatal(err)
	}
	if err := fillUp(conn, file); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	if n := unsent(t, conn); n > 2*limit {
		t.Errorf("%d bytes wait to be sent with a limit of %d", n, limit)
	}
}

func TestThreadsAreBounded(t *testing.T) {
	var threads Threads
	for range maxThreads {
		if !threads.enter() {
			t.Fatal("refused too early")
		}
	}
	conn, client := pair(t)
	if err := conn.UseThreads(&threads, 1<<20); err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, client)
	sendAll(t, conn, sparseFile(t), 64<<20)
	if n := threads.busy.Load(); n != maxThreads || conn.threads != nil {
		t.Errorf("%d are busy of %d", n, maxThreads)
	}
	threads.leave()
	if !threads.enter() {
		t.Error("refused though one has left")
	}
}

// A deadline that has passed ends a transfer on a thread between two calls, so that the rate and
// the stall limit are looked at.
func TestADeadlineIsSeenOnAThread(t *testing.T) {
	conn, _ := pair(t)
	if err := conn.UseThreads(new(Threads), 1<<20); err != nil {
		t.Fatal(err)
	}
	conn.SetWriteDeadline(time.Now().Add(-time.Second))
	if n, err := conn.SendFile(sparseFile(t), 1<<20); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d bytes, %v", n, err)
	}
	conn.SetWriteDeadline(time.Now().Add(time.Hour))
	if n, err := conn.SendFile(sparseFile(t), 1<<20); n == 0 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// Close ends a call that blocks; the client sees an error and not the end of a file, and the
// descriptor is closed once.
func TestCloseCutsACallThatBlocks(t *testing.T) {
	caught := 0
	for i := 0; i < 200 && caught < 10; i++ {
		conn, client := pair(t)
		if err := conn.UseThreads(new(Threads), 1<<20); err != nil {
			t.Fatal(err)
		}
		file := sparseFile(t)
		sent := make(chan error, 1)
		go func() {
			for {
				if _, err := conn.SendFile(file, maxBlocking); err != nil {
					sent <- err
					return
				}
			}
		}()
		conn.mu.Lock()
		inode := inodeOf(t, conn.fd)
		for !conn.parked && conn.polled == nil {
			conn.mu.Unlock()
			time.Sleep(100 * time.Microsecond)
			conn.mu.Lock()
		}
		if conn.parked {
			caught++
		}
		conn.mu.Unlock()
		if err := errors.Join(conn.SetLinger(0), conn.Close()); err != nil {
			t.Fatal(err)
		}
		if err := <-sent; !errors.Is(err, net.ErrClosed) && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("SendFile: %v", err)
		}
		if n, err := io.Copy(io.Discard, client); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the client sees %v after %d bytes", err, n)
		}
		if isOpen(t, inode) {
			t.Error("the socket is still open")
		}
		if err := conn.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("closed twice: %v", err)
		}
	}
	if caught == 0 {
		t.Error("no call blocked when its connection was closed")
	}
}

func inodeOf(t *testing.T, fd int) string {
	t.Helper()
	name, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// isOpen reports whether a descriptor of this process is the file.
func isOpen(t *testing.T, inode string) bool {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if name, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && name == inode {
			return true
		}
	}
	return false
}

// Whoever closes while calls begin and end leaves no descriptor to anybody else.
func TestCloseWhileCallsBeginAndEnd(t *testing.T) {
	for i := range 100 {
		conn, client := pair(t)
		if err := conn.UseThreads(new(Threads), 1<<20); err != nil {
			t.Fatal(err)
		}
		file := sparseFile(t)
		var wg sync.WaitGroup
		wg.Go(func() { io.Copy(io.Discard, client) })
		wg.Go(func() {
			for err := error(nil); err == nil; {
				_, err = conn.SendFile(file, maxBlocking)
			}
		})
		time.Sleep(time.Duration(i) * 50 * time.Microsecond)
		conn.Close()
		wg.Wait()
	}
}
