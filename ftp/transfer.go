package ftp

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"os"
	"time"
)

// begin starts a transfer. Its context is cancelled by ABOR, by the loss of the control connection,
// and with the session. Every begin is followed by a finish.
func (s *session) begin(ctx context.Context, verb, name string) (context.Context, *transfer) {
	t := &transfer{verb: verb, name: name, began: time.Now()}
	ctx, t.cancel = context.WithCancelCause(ctx)
	s.mu.Lock()
	s.running = t
	s.mu.Unlock()
	s.watch(t)
	return ctx, t
}

func (s *session) finish(t *transfer) {
	s.unwatch(t)
	t.cancel(nil)
	if t.done != nil {
		t.done()
	}
	if t.waitTimer != nil {
		t.waitTimer.Stop()
	}
	s.aborted = t.aborted
	s.seeTransfer(t)
	s.mu.Lock()
	s.running = nil
	s.mu.Unlock()
}

// dataRefusal returns the reply to a transfer command without a usable data connection, or the zero
// reply.
func (s *session) dataRefusal() reply {
	switch {
	case s.endpoint == nil:
		return reply{425, "Send PASV, EPSV, PORT or EPRT first."}
	case (s.srv.tuned().RequireTLS || s.limits.Private) && !s.private:
		return reply{521, "This server requires protected data connections: send PBSZ 0 and PROT P."}
	}
	if p, is := s.endpoint.(*passive); is {
		if err := p.ended(); err != nil {
			return noPort(err)
		}
	}
	return reply{}
}

// connect sends 150 and opens the data connection. The file is open already.
func (s *session) connect(ctx context.Context, t *transfer, opening string) (*dataConn, reply) {
	if begin := s.limits.Transfer; begin != nil {
		done, err := begin()
		if err != nil {
			s.seeError(err)
			return nil, reply{450, hintOr(err, "Too many transfers; try again later.")}
		}
		t.done = done
	}
	e := s.endpoint
	s.endpoint = nil
	defer e.close()
	s.ctl.write(reply{150, opening})
	t.opened.Store(true)
	if err := s.ctl.flush(); err != nil {
		e.dismiss(0, nil)
		return nil, reply{426, "Control connection lost."}
	}
	t.setWait(e.close)
	conn, err := e.open(ctx)
	if err != nil {
		if _, is := e.(*passive); is {
			s.srv.totals.passiveFailed.Add(1)
		}
		return nil, s.noConnection(ctx, t, err)
	}
	var c *dataConn
	if p, is := e.(*passive); is {
		c = p.secured()
	}
	if c == nil {
		c = s.newDataConn(conn)
		if s.private {
			t.setWait(c.abort)
			if err := c.secure(ctx, s.srv.tls.data(s.id, c.tap.hold)); err != nil {
				return nil, s.noConnection(ctx, t, err)
			}
		}
	}
	t.endWait()
	s.seeData(c)
	c.tap.pace(ctx, s.limits)
	t.conn.Store(c)
	return c, reply{}
}

func (s *session) noConnection(ctx context.Context, t *transfer, err error) reply {
	s.srv.totals.failed.Add(1)
	s.done.logged = true
	s.log(ctx, slog.LevelWarn, "no data connection", slog.String("command", t.verb), slog.Any("error", err))
	var shake *handshakeError
	if errors.As(err, &shake) {
		s.tellHandshake(true, nil, err)
	}
	s.seeEnd(cmp.Or(context.Cause(ctx), err), context.Cause(ctx) != nil)
	if cause := context.Cause(ctx); cause != nil {
		r, _ := errorReply(cause)
		return r
	}
	return noPort(err)
}

// transferFailed returns the reply to a failed transfer: by the cause of ctx if it was cancelled,
// by the error of the storage if there is one, otherwise by the error of the connection.
func (s *session) transferFailed(ctx context.Context, t *transfer, err error) reply {
	s.srv.totals.failed.Add(1)
	if cause := context.Cause(ctx); cause != nil {
		r, _ := errorReply(cause)
		return r
	}
	var file *fileError
	if errors.As(err, &file) {
		return s.fail(t.verb, t.name, file.err)
	}
	if errors.Is(err, errTooSlow) {
		return reply{426, "The transfer was too slow; aborted."}
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return reply{426, "The data connection stalled; transfer aborted."}
	}
	return reply{426, "The data connection broke; transfer aborted."}
}

// logTransfer logs and records how t ended: with err, or with the cause of ctx if it was cancelled.
func (s *session) logTransfer(ctx context.Context, t *transfer, err error) {
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	var file *fileError
	s.seeEnd(err, err != nil && !errors.As(err, &file))
	s.remember(t, err)
	s.done.count(t, err)
	s.done.logged = true
	level := levelOf(err)
	if !s.srv.log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("command", t.verb), slog.String("path", absolute(t.name)), slog.String("user", s.name),
		slog.Int64("bytes", t.bytes()), slog.Duration("took", time.Since(t.began)),
	}
	if t.stored != "" && t.stored != t.name {
		attrs = append(attrs, slog.String("stored_as", absolute(t.stored)))
	}
	if err == nil {
		s.log(ctx, slog.LevelInfo, "transfer complete", attrs...)
		return
	}
	s.log(ctx, level, "transfer failed", append(attrs, slog.Any("error", err))...)
}
