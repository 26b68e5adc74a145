package sock

import (
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// Threads bounds how many connections send by calls that block, each of which keeps a thread. The
// zero value is ready to use.
type Threads struct{ busy atomic.Int32 }

// maxThreads is how many connections block at once. Others wait in the poller.
const maxThreads = 16

const (
	// patience is how long 64 KiB may wait in a call that blocks. Whoever takes longer is given to
	// the poller for good.
	patience = 20 * time.Millisecond
	// blockTime is how long such a call should last: its bytes are counted when it returns.
	blockTime = 16 * time.Millisecond

	minBlocking = 1 << 20 // bytes of the first such call
	maxBlocking = 8 << 20
)

func (t *Threads) enter() bool {
	if t.busy.Add(1) <= maxThreads {
		return true
	}
	t.leave()
	return false
}

func (t *Threads) leave() { t.busy.Add(-1) }

// leaveThreads gives the socket to the poller. The caller holds mu.
func (s *Conn) leaveThreads() {
	s.threads = nil
	_ = limitUnsent(s.fd, s.unsent) // an older kernel queues more
}

// sendBlocking is SendFile by a call that blocks. The error is EAGAIN if the poller shall wait
// instead.
func (s *Conn) sendBlocking(from syscall.RawConn, n int) (moved int, err error) {
	fd, n, err := s.park(n)
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	outer := from.Control(func(file uintptr) {
		err = syscall.EINTR
		for err == syscall.EINTR {
			moved, err = syscall.Sendfile(fd, int(file), nil, n)
		}
	})
	took := time.Since(begun)
	if outer != nil {
		err = outer
	}
	moved = max(moved, 0)
	if s.unpark(fd, moved == n, took); moved > 0 {
		err = nil
	}
	return moved, err
}

// park makes the socket block. unpark follows unless there is an error.
func (s *Conn) park(n int) (fd, size int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.fd < 0:
		return 0, 0, net.ErrClosed
	case s.polled != nil || s.threads == nil:
		return 0, 0, syscall.EAGAIN
	case !s.writeBy.IsZero() && !time.Now().Before(s.writeBy):
		return 0, 0, os.ErrDeadlineExceeded
	case !s.threads.enter():
		s.leaveThreads()
		return 0, 0, syscall.EAGAIN
	}
	limit := syscall.NsecToTimeval(int64(patience))
	err = syscall.SetsockoptTimeval(s.fd, syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &limit)
	if err == nil {
		err = syscall.SetNonblock(s.fd, false)
	}
	if err != nil {
		s.threads.leave()
		s.leaveThreads()
		return 0, 0, syscall.EAGAIN
	}
	s.parked = true
	return s.fd, min(n, s.blocking), nil
}

// unpark undoes park after a call that took so long; whole says whether all bytes were sent.
func (s *Conn) unpark(fd int, whole bool, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parked = false
	s.threads.leave()
	if s.fd < 0 { // Close has left the descriptor to this goroutine
		_ = syscall.Close(fd)
		return
	}
	_ = syscall.SetNonblock(fd, true) // cannot fail: it did not before
	switch {
	case took < blockTime && whole:
		s.blocking = min(2*s.blocking, maxBlocking)
	case took > 2*blockTime:
		s.blocking /= 2
	}
	if s.blocking < minBlocking || !whole { // it has run out of patience, or failed
		s.leaveThreads()
	}
}

// cut ends a call that blocks on fd: it resets the connection. To close the descriptor would not,
// as the call holds the socket; and the number could be given to another file just before the call
// begins. Some kernels refuse; then the call ends after patience, or with its bytes.
func cut(fd int) {
	_ = syscall.SetsockoptLinger(fd, syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1})
	var none syscall.RawSockaddr // AF_UNSPEC: connect(2) dissolves the association
	_, _, _ = syscall.Syscall(sysConnect, uintptr(fd), uintptr(unsafe.Pointer(&none)), unsafe.Sizeof(none))
}

func limitUnsent(fd, n int) error {
	const notSentLowAt = 25 // TCP_NOTSENT_LOWAT of tcp(7), which package syscall does not have
	return syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, notSentLowAt, n)
}
