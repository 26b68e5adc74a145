package ftp

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"
)

// accept runs sessions for the connections of a listener, until that is closed.
//
// One descriptor is kept in reserve. When the process has run out of descriptors, it closes that
// one, accepts the connection and sends the client a 421. Without it the client would wait in the
// accept queue without an answer.
func (s *Server) accept(ctx context.Context, loop *acceptLoop, implicit bool) error {
	var reserve reserve
	reserve.acquire()
	defer reserve.release()
	var delay time.Duration
	for {
		conn, err := loop.accept()
		why := shortage(err)
		if why != "" && reserve.release() {
			s.logShortage(ctx, "out of descriptors for new sessions", err)
			conn, err = loop.accept()
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

// start begins a session for conn; that of a proxy begins with its header, which nobody else waits
// for.
func (s *Server) start(ctx context.Context, conn net.Conn, implicit bool, why string) {
	if why != "" || !s.proxied(conn) {
		s.begin(ctx, conn, doorOf(conn), implicit, why)
		return
	}
	go func() {
		if d, ok := s.readDoor(ctx, conn); ok {
			s.begin(ctx, conn, d, implicit, "")
		}
	}()
}

// begin runs a session for conn. It refuses the connection if why is not empty, or if the Guard or
// admit refuses it.
func (s *Server) begin(ctx context.Context, conn net.Conn, d door, implicit bool, why string) {
	ss := newSession(s, conn, d, implicit)
	ctx, ss.cancel = context.WithCancelCause(ctx) // before others can see the session
	if why == "" && s.Guard != nil {
		if err := s.Guard.Admit(ss.remote.Addr()); err != nil {
			s.refuse(ctx, ss, notAdmitted, err.Error())
			return
		}
	}
	crowd := false
	if why == "" {
		why, crowd = s.admit(ss)
	}
	if why != "" {
		s.refuse(ctx, ss, why, why)
		if crowd {
			s.note(ss.remote.Addr(), GuardEvent{Kind: TooManySessions, Reason: "too many sessions"}, "")
		}
		return
	}
	s.totals.sessions.Add(1)
	go func() {
		defer s.end(ss)
		ss.serve(ctx)
	}()
}

// refuse answers the client with 421 and text, and logs the reason.
func (s *Server) refuse(ctx context.Context, ss *session, text, reason string) {
	ss.cancel(nil)
	s.totals.refused.Add(1)
	if s.Observer != nil {
		s.Observer.SessionEnded(ss.who(), EndRefused, reason)
	}
	if omitted, due := s.refusals.due(time.Now()); due {
		addr, port := address(ss.remote)
		s.log.LogAttrs(ctx, slog.LevelWarn, "session refused", addr, port,
			slog.String("reason", reason), slog.Int("omitted", omitted))
	}
	ss.ctl.tcp.SetWriteDeadline(time.Now().Add(time.Second))
	ss.ctl.tcp.Write(reply{421, text}.append(nil))
	ss.ctl.tcp.Close()
}
