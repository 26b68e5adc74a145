package ftp

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// transfer is a command that may take long: it moves data or reads a file. While it runs, ABOR is
// answered, and after 150 also STAT and NOOP; other commands are queued.
type transfer struct {
	verb, name string
	began      time.Time
	cancel     context.CancelCauseFunc
	timer      *time.Timer              // starts the watcher
	watched    chan struct{}            // closed when the watcher has ended
	opened     atomic.Bool              // 150 was sent: replies to other commands cannot be mistaken for it
	conn       atomic.Pointer[dataConn] // nil until it is open

	endOfWait atomic.Pointer[func()] // ends the wait for a data connection; nil before 150
	gaveUp    atomic.Bool            // the wait for a data connection was given up

	whole bool // every byte has arrived and was verified; set while there is no watcher

	// Written by the watcher, read after it has ended.
	lost      bool        // the control connection ended
	waitTimer *time.Timer // ends the wait for a data connection
	aborted   bool        // ABOR came
}

func (t *transfer) bytes() int64 {
	if c := t.conn.Load(); c != nil {
		return c.count()
	}
	return 0
}

// movesData reports whether t uses a data connection; other commands only take long.
func (t *transfer) movesData() bool {
	return t.verb != "HASH" && t.verb != verbDigest && t.verb != "STAT"
}

// verbDigest is the verb of XCRC, XMD5 and the like.
const verbDigest = "digest"

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
	if t.waitTimer != nil {
		t.waitTimer.Stop()
	}
	s.aborted = t.aborted
	s.mu.Lock()
	s.running = nil
	s.mu.Unlock()
}

// listing reports whether t is a listing.
func (t *transfer) listing() bool { return t.verb == "LIST" || t.verb == "NLST" || t.verb == "MLSD" }

// giveUpWaiting ends the wait for a data connection after goneGrace: the client has gone, or the
// server is stopping.
func (t *transfer) giveUpWaiting() {
	if t.movesData() {
		t.waitTimer = time.AfterFunc(goneGrace, func() {
			t.gaveUp.Store(true)
			if end := t.endOfWait.Load(); end != nil {
				(*end)()
			}
		})
	}
}

// setWait sets the function that ends the wait for a data connection that begins now. It is called
// at once if the wait was given up.
func (t *transfer) setWait(end func()) {
	t.endOfWait.Store(&end)
	if t.gaveUp.Load() {
		end()
	}
}

// endWait is called when the data connection is open.
func (t *transfer) endWait() { t.endOfWait.Store(nil) }

// goneGrace is how long a data connection may come after the end of the control connection.
const goneGrace = time.Second

// dataRefusal returns the reply to a transfer command without a usable data connection, or the zero
// reply.
func (s *session) dataRefusal() reply {
	switch {
	case s.endpoint == nil:
		return reply{425, "Send PASV, EPSV, PORT or EPRT first."}
	case s.srv.RequireTLS && !s.private:
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
		return nil, s.noConnection(ctx, t, err)
	}
	var c *dataConn
	if p, is := e.(*passive); is {
		c = p.secured()
	}
	if c != nil {
		t.endWait()
		t.conn.Store(c)
		return c, reply{}
	}
	c = s.newDataConn(conn)
	if s.private {
		t.setWait(c.abort)
		if err := c.secure(ctx, s.srv.tls.data(s.id, c.tap.hold)); err != nil {
			return nil, s.noConnection(ctx, t, err)
		}
	}
	t.endWait()
	t.conn.Store(c)
	return c, reply{}
}

func (s *session) noConnection(ctx context.Context, t *transfer, err error) reply {
	s.srv.totals.failed.Add(1)
	s.done.logged = true
	s.logger.LogAttrs(ctx, slog.LevelWarn, "no data connection", slog.String("command", t.verb), slog.Any("error", err))
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
	s.remember(t, err)
	s.done.count(t, err)
	s.done.logged = true
	level := levelOf(err)
	if !s.logger.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("command", t.verb), slog.String("path", absolute(t.name)), slog.String("user", s.name),
		slog.Int64("bytes", t.bytes()), slog.Duration("took", time.Since(t.began)),
	}
	if err == nil {
		s.logger.LogAttrs(ctx, slog.LevelInfo, "transfer complete", attrs...)
		return
	}
	s.logger.LogAttrs(ctx, level, "transfer failed", append(attrs, slog.Any("error", err))...)
}
