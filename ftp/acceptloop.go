package ftp

import (
	"net"
	"sync/atomic"
	"time"
)

// An acceptLoop accepts the connections of one listener.
type acceptLoop struct {
	listener net.Listener
	came     atomic.Int64 // when the last connection came, by Unix in nanoseconds; 0 while one is awaited
}

// accept waits for a connection. What follows until the next call is the loop's own work.
func (a *acceptLoop) accept() (net.Conn, error) {
	a.came.Store(0)
	conn, err := a.listener.Accept()
	a.came.Store(time.Now().UnixNano())
	return conn, err
}

// Accepting says whether connections are accepted.
type Accepting struct {
	Listeners int           // that are served
	Closing   bool          // after Shutdown or Close
	Draining  bool          // after Drain(true): they are refused
	Busy      time.Duration // for how long a listener's last connection has kept its next from being accepted
}

// Accepting returns what is now. It may be called at any time.
func (s *Server) Accepting() Accepting {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := Accepting{Listeners: len(s.listeners), Closing: s.closing, Draining: s.draining}
	for _, a := range s.listeners {
		if came := a.came.Load(); came != 0 {
			now.Busy = max(now.Busy, time.Since(time.Unix(0, came)))
		}
	}
	return now
}
