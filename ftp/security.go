package ftp

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"strings"
	"time"
)

// auth starts TLS (RFC 4217, section 4). It ends a login made in clear.
func (s *session) auth(ctx context.Context, arg string) reply {
	mechanism := strings.ToUpper(strings.TrimSpace(arg))
	if s.srv.tls == nil {
		return reply{502, "TLS is not configured on this server."}
	}
	if s.ctl.isTLS() {
		return badSequence("TLS is on already.")
	}
	private := false
	switch mechanism {
	case "TLS", "TLS-C":
	case "SSL", "TLS-P":
		private = true // these imply PROT P (RFC 4217, section 17.7)
	default:
		return notSupported("Use AUTH TLS.")
	}
	s.reset()
	s.pending, s.pendingBytes = nil, 0
	s.ctl.until = time.Now().Add(s.srv.loginTimeout())
	begin := reply{234, "Begin TLS now."}
	s.tell(begin)
	s.ctl.write(begin)
	if err := s.ctl.flush(); err != nil {
		s.ended = true
		return reply{}
	}
	if err := s.startTLS(s.srv.tls.control(s.id)); err != nil {
		s.handshakeFailed(ctx, err)
		s.ended = true
		return reply{}
	}
	s.private, s.sized = private, private
	return reply{}
}

// handshakeFailed logs why there is no TLS on the control connection. A client that refuses the
// certificate speaks TLS; what sends no record of it is noise.
func (s *session) handshakeFailed(ctx context.Context, err error) {
	s.log(ctx, slog.LevelWarn, "TLS handshake failed", slog.Any("error", err))
	var other tls.RecordHeaderError
	if errors.As(err, &other) {
		s.noise("something else than TLS on a port for it")
	}
}

// startTLS performs the handshake on the control connection.
func (s *session) startTLS(cfg *tls.Config) error {
	if s.vhost == nil {
		s.vhost = new(virtualHost)
	}
	err := s.ctl.secure(cfg, s.vhost)
	conn, _ := s.ctl.conn.(*tls.Conn)
	s.tellHandshake(false, conn, err)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.shown.tls = true
	s.mu.Unlock()
	return nil
}

func (s *session) pbsz(_ context.Context, arg string) reply {
	if !s.ctl.isTLS() {
		return badSequence("Send AUTH TLS first.")
	}
	if !isDigits(arg) {
		return badArgument("Usage: PBSZ 0")
	}
	s.sized = true
	if strings.Trim(arg, "0") == "" {
		return ok("PBSZ=0")
	}
	return ok("PBSZ=0 (TLS needs no buffer).")
}

func (s *session) prot(_ context.Context, arg string) reply {
	switch level := strings.ToUpper(strings.TrimSpace(arg)); {
	case !s.ctl.isTLS():
		return badSequence("Send AUTH TLS first.")
	case !s.sized:
		return badSequence("Send PBSZ 0 first.")
	case level == "P":
		s.private = true
		return ok("Data connections are protected.")
	case level == "C" && (s.srv.tuned().RequireTLS || s.limits.Private):
		return reply{534, "This server requires protected data connections."}
	case level == "C":
		s.private = false
		return ok("Data connections are in clear.")
	case level == "S" || level == "E":
		return reply{536, "TLS offers the levels C and P."}
	}
	return notSupported("Use PROT P or PROT C.")
}

// ccc refuses to return to a clear control connection, where an active attacker could insert
// commands. RFC 2228 section 3 has a code for each refusal.
func (s *session) ccc(context.Context, string) reply {
	if !s.ctl.isTLS() {
		return reply{533, "The control connection is not protected."}
	}
	return reply{534, "The control connection stays protected."}
}

func (s *session) featAuth() string {
	if s.srv.tls == nil {
		return ""
	}
	return "AUTH TLS"
}

// featTLS returns the FEAT line of a command that exists only with TLS.
func featTLS(name string) func(*session) string {
	return func(s *session) string {
		if s.srv.tls == nil {
			return ""
		}
		return name
	}
}
