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
// A descriptor is kept in reserve: a process that has no other one left closes it, accepts and
// tells the client why it cannot stay. Without that the client would wait in the queue of the
// system and hear nothing.
func (s *Server) accept(ctx context.Context, l net.Listener, implicit bool) error {
	var reserve reserve
	reserve.take()
	defer reserve.give()
	var delay time.Duration
	for {
		conn, err := l.Accept()
		why := shortage(err)
		if why != "" && reserve.give() {
			s.logShortage(ctx, "out of descriptors for new sessions", err)
			conn, err = l.Accept()
			if err == nil && reserve.take() {
				why = "" // some were given back meanwhile
			}
		}
		if err == nil {
			delay = 0
			s.start(ctx, conn, implicit, why)
			reserve.take()
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
		// A connection that died in the queue, or nothing is in reserve: it may pass.
		s.logShortage(ctx, "cannot accept connections, trying again", err)
		delay = min(max(2*delay, 5*time.Millisecond), time.Second)
		select {
		case <-time.After(delay):
		case <-ctx.Done():
		}
		reserve.take()
	}
}

// start runs a session for conn, unless there is a reason not to: why, or one of its own.
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

// admit adds ss to the sessions, or says why not.
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
	if why := s.hosts.enter(hostAddr(ss.remote.Addr()), s.MaxSessionsPerHost, guestsPerHost); why != "" {
		return why
	}
	s.sessions[ss] = struct{}{}
	s.guests++
	ss.guest = true
	return ""
}

// minGuestsPerHost lets clients that open many sessions log in with them.
const minGuestsPerHost = 8

// guestLimits are MaxGuests and MaxGuestsPerHost or what stands for them, 0 for no limit.
func (s *Server) guestLimits() (all, perHost int) {
	all, perHost = s.MaxGuests, s.MaxGuestsPerHost
	if all == 0 {
		all = most(s.MaxSessions)
	}
	if perHost == 0 && all > 0 {
		perHost = max(all/4, minGuestsPerHost)
	}
	return max(all, 0), max(perHost, 0)
}

// most is what some may have of n things, so that others find some: three quarters, rounded up.
func most(n int) int { return n - n/4 }

// setGuest notes whether ss has logged in.
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
	s.hosts.leave(hostAddr(ss.remote.Addr()))
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, ss)
	if s.closing && len(s.sessions) == 0 {
		close(s.gone)
	}
}

// reserve is a descriptor that is kept for the moment when there is no other.
type reserve struct{ file *os.File }

// take reports whether there is one now.
func (r *reserve) take() bool {
	if r.file == nil {
		r.file, _ = os.Open(os.DevNull) // without one it is tried again later
	}
	return r.file != nil
}

// give gives it to whoever asks the system next, and reports whether there was one.
func (r *reserve) give() bool {
	if r.file == nil {
		return false
	}
	r.file.Close()
	r.file = nil
	return true
}

// shortage says what the system had no more of when err came, "" when err is of another kind.
func shortage(err error) string {
	switch {
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "The server is out of file descriptors; try again later."
	case errors.Is(err, syscall.ENOMEM), errors.Is(err, syscall.ENOBUFS):
		return "The server is out of memory; try again later."
	}
	return ""
}

// logShortage logs what the system did not give, now and then.
func (s *Server) logShortage(ctx context.Context, what string, err error) {
	if omitted, due := s.shortages.due(time.Now()); due {
		s.log.LogAttrs(ctx, slog.LevelError, what, slog.Any("error", err), slog.Int("omitted", omitted))
	}
}

// sparing lets one of many messages through in a while, as anybody can cause more. The zero value
// is ready.
type sparing struct {
	mu      sync.Mutex
	next    time.Time // guarded by mu; when the next one is due
	omitted int       // guarded by mu; since the last one
}

// sparingTime is the time between two messages.
const sparingTime = 10 * time.Second

// due reports whether a message is to be logged, and how many were not since the last one.
func (l *sparing) due(now time.Time) (omitted int, due bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Before(l.next) {
		l.omitted++
		return 0, false
	}
	omitted, l.omitted = l.omitted, 0
	l.next = now.Add(sparingTime)
	return omitted, true
}
