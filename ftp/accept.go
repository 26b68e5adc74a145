package ftp

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// accept runs sessions for the connections of l, until l is closed.
//
// One descriptor is kept in reserve. When the process has run out of descriptors, it closes that
// one, accepts the connection and sends the client a 421. Without it the client would wait in the
// accept queue without an answer.
func (s *Server) accept(ctx context.Context, l net.Listener, implicit bool) error {
	var reserve reserve
	reserve.acquire()
	defer reserve.release()
	var delay time.Duration
	for {
		conn, err := l.Accept()
		why := shortage(err)
		if why != "" && reserve.release() {
			s.logShortage(ctx, "out of descriptors for new sessions", err)
			conn, err = l.Accept()
			if err == nil && reserve.acquire() {
				why = "" // some were released meanwhile
			}
		}
		if err == nil {
			delay = 0
			s.start(ctx, conn, implicit, why)
			reserve.acquire()
			continue
		}
		if s.isClosing() {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return ErrServerClosed
		}
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		// The connection died in the queue, or there is no reserve: temporary.
		s.logShortage(ctx, "cannot accept connections, trying again", err)
		delay = min(max(2*delay, 5*time.Millisecond), time.Second)
		select {
		case <-time.After(delay):
		case <-ctx.Done():
		}
		reserve.acquire()
	}
}

// start runs a session for conn. It refuses the connection if why is not empty, or if admit refuses
// it.
func (s *Server) start(ctx context.Context, conn net.Conn, implicit bool, why string) {
	ss := newSession(s, conn, implicit)
	ctx, ss.cancel = context.WithCancelCause(ctx) // before others can see the session
	if why == "" {
		why = s.admit(ss)
	}
	if why != "" {
		ss.cancel(nil)
		s.totals.refused.Add(1)
		if omitted, due := s.refusals.due(time.Now()); due {
			addr, port := address(ss.remote)
			s.log.LogAttrs(ctx, slog.LevelWarn, "session refused", addr, port,
				slog.String("reason", why), slog.Int("omitted", omitted))
		}
		conn.SetWriteDeadline(time.Now().Add(time.Second))
		conn.Write(reply{421, why}.append(nil))
		conn.Close()
		return
	}
	s.totals.sessions.Add(1)
	go func() {
		defer s.end(ss)
		ss.serve(ctx)
	}()
}

// admit adds ss to the sessions, or returns the reason for its refusal.
func (s *Server) admit(ss *session) (why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	guests, guestsPerHost := s.guestLimits()
	switch {
	case s.closing:
		return "The server is shutting down."
	case s.MaxSessions > 0 && len(s.sessions) >= s.MaxSessions:
		return "Too many sessions; try again later."
	case guests > 0 && s.guests >= guests:
		return "Too many connections that have not logged in; try again in a minute."
	}
	if why := s.hosts.admit(hostAddr(ss.remote.Addr()), s.MaxSessionsPerHost, guestsPerHost); why != "" {
		return why
	}
	s.sessions[ss] = struct{}{}
	s.guests++
	ss.guest = true
	return ""
}

// minGuestsPerHost lets clients that open many sessions log in with them.
const minGuestsPerHost = 8

// guestLimits returns MaxGuests and MaxGuestsPerHost or their defaults; 0 = no limit.
func (s *Server) guestLimits() (all, perHost int) {
	all, perHost = s.MaxGuests, s.MaxGuestsPerHost
	if all == 0 {
		all = threeQuarters(s.MaxSessions)
	}
	if perHost == 0 && all > 0 {
		perHost = max(all/4, minGuestsPerHost)
	}
	return max(all, 0), max(perHost, 0)
}

// threeQuarters returns three quarters of n, rounded up: what one group may use, so that something
// is left for the others.
func threeQuarters(n int) int { return n - n/4 }

// setGuest records whether ss has logged in.
func (s *Server) setGuest(ss *session, guest bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ss.guest == guest {
		return
	}
	ss.guest = guest
	change := 1
	if !guest {
		change = -1
	}
	s.guests += change
	s.hosts.countGuests(hostAddr(ss.remote.Addr()), change)
}

func (s *Server) end(ss *session) {
	s.setGuest(ss, false)
	s.hosts.release(hostAddr(ss.remote.Addr()))
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, ss)
	if s.closing && len(s.sessions) == 0 {
		close(s.gone)
	}
}

// reserve is a spare descriptor for the case that the process runs out of them.
type reserve struct{ file *os.File }

// acquire opens the descriptor, if it is not open, and reports whether there is one.
func (r *reserve) acquire() bool {
	if r.file == nil {
		r.file, _ = os.Open(os.DevNull) // retried later
	}
	return r.file != nil
}

// release closes the descriptor and reports whether there was one.
func (r *reserve) release() bool {
	if r.file == nil {
		return false
	}
	r.file.Close()
	r.file = nil
	return true
}

// shortage returns the reply text for an err that means a lack of system resources, "" for other
// errors.
func shortage(err error) string {
	switch {
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "The server is out of file descriptors; try again later."
	case errors.Is(err, syscall.ENOMEM), errors.Is(err, syscall.ENOBUFS):
		return "The server is out of memory; try again later."
	}
	return ""
}

// logShortage logs a lack of system resources, at most once in each logInterval.
func (s *Server) logShortage(ctx context.Context, what string, err error) {
	if omitted, due := s.shortages.due(time.Now()); due {
		s.log.LogAttrs(ctx, slog.LevelError, what, slog.Any("error", err), slog.Int("omitted", omitted))
	}
}

// logLimiter limits how often a message is logged that any client can cause. The zero value is
// ready.
type logLimiter struct {
	mu      sync.Mutex
	next    time.Time // guarded by mu; when the next one is due
	omitted int       // guarded by mu; since the last one
}

// logInterval is the time between two messages.
const logInterval = 10 * time.Second

// due reports whether to log a message now, and how many were omitted since the last one.
func (l *logLimiter) due(now time.Time) (omitted int, due bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Before(l.next) {
		l.omitted++
		return 0, false
	}
	omitted, l.omitted = l.omitted, 0
	l.next = now.Add(logInterval)
	return omitted, true
}
