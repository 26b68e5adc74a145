// Package conns shares a few connections to a server among calls, for drivers whose libraries know
// no contexts: calls end with their context, and connections that do not answer are closed.
//
// Start at dir.go: a directory over a connection. pool.go: the connections. call.go makes a call on
// one. conns.go is what a driver's connection embeds.
package conns

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

// ErrLost is what calls fail with when their connection breaks. It is not final: the next call
// makes a new one.
var ErrLost = errors.New("the connection to the server was lost")

// Broken reports whether err says that a connection has ended that was there, as one does that was
// idle for too long: on another one the same call may do better, at once.
func Broken(err error) bool {
	for _, broken := range []error{ErrLost, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, broken) {
			return true
		}
	}
	return false
}

// Patience is how long a call that nobody waits for may take, before its connection is taken for
// dead.
const Patience = 10 * time.Second

// A Conn is a connection to the server, as a driver has it. It embeds Shared. Any number of calls
// share it.
type Conn interface {
	// Close ends every call on the connection. It calls Lose first.
	Close()
	// Wait returns when the connection has ended, for whatever reason.
	Wait()

	// Pooled is that of Shared.
	Pooled() *Shared
}

// A Shared is what the pool knows of a connection. The zero value is ready for use.
type Shared struct {
	lost  atomic.Bool
	users int       // guarded by Pool.mu
	since time.Time // when users became 0; guarded by Pool.mu
}

// Lose marks the connection as broken: no call begins on it any more.
func (s *Shared) Lose() { s.lost.Store(true) }

// Lost reports whether the connection is broken.
func (s *Shared) Lost() bool { return s.lost.Load() }

// Pooled returns s: what the pool knows of the connection that embeds it.
func (s *Shared) Pooled() *Shared { return s }
