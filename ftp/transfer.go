package ftp

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"
)

// dataRefusal is the reply to a transfer command that has no way to move data, or the zero reply.
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

// retr sends a file, or the part of it that REST or RANG has named (RFC 959, section 4.1.3).
func (s *session) retr(ctx context.Context, arg string) reply {
	off, limit := s.takeRestart(), int64(-1)
	if start, n := s.takeRange(); n >= 0 {
		off, limit = start, n
	}
	name, r := s.path(ctx, arg)
	if !r.isZero() {
		return r
	}
	if r := s.dataRefusal(); !r.isZero() {
		return r
	}
	ctx, t := s.begin(ctx, "RETR", name)
	defer s.finish(t)
	body, err := s.fs.Open(ctx, name, off)
	if err != nil {
		return s.fail("RETR", name, err)
	}
	defer body.Close()
	content, opening := announce(name, body, off, limit)
	out, r := s.startSending(ctx, t, opening)
	if !r.isZero() {
		return r
	}
	defer out.abandon()
	return s.endSending(ctx, t, out, s.copyBody(out.w, content))
}

// announce returns what is to be sent of body, and the text of 150, in which clients look for the
// size. A file is sent as long as it was when it was opened; then the kernel need not be asked for
// its end. limit < 0 is none.
func announce(name string, body io.Reader, off, limit int64) (content io.Reader, opening string) {
	opening = "Sending " + quote(name)
	if f, isFile := body.(*os.File); isFile {
		if fi, err := f.Stat(); err == nil {
			size := max(fi.Size()-off, 0)
			if limit < 0 || size < limit {
				limit = size
			}
			opening = fmt.Sprintf("%s (%d bytes)", opening, limit)
		}
	}
	if limit < 0 {
		return body, opening
	}
	return io.LimitReader(body, limit), opening
}

// copyBody writes a file to the data connection; dst is the dataConn itself when nothing stands in
// between, so that the bytes need not be copied.
func (s *session) copyBody(dst io.Writer, body io.Reader) error {
	if s.ascii && s.srv.ConvertASCII {
		return copyOut(newASCIIWriter(dst), body)
	}
	if c, direct := dst.(*dataConn); direct {
		_, err := c.ReadFrom(body)
		return err
	}
	return copyOut(dst, body)
}

// outgoing is a data connection that carries bytes to the client.
type outgoing struct {
	conn *dataConn
	z    *modeZWriter // nil in MODE S
	w    io.Writer    // what to write to: conn or z
	stop func() bool
}

// startSending says 150 and opens the data connection; it is cut when ctx ends.
func (s *session) startSending(ctx context.Context, t *transfer, opening string) (*outgoing, reply) {
	c, r := s.connect(ctx, t, opening)
	if !r.isZero() {
		return nil, r
	}
	out := &outgoing{conn: c, w: c, stop: context.AfterFunc(ctx, c.abort)}
	if s.deflate {
		out.z = newModeZWriter(c, s.zlevel)
		out.w = out.z
	}
	return out, reply{}
}

// abandon cuts the connection, so that the client cannot take what it has for the whole. After
// endSending it does nothing.
func (o *outgoing) abandon() {
	o.stop()
	o.conn.abort()
	if o.z != nil {
		o.z.release()
	}
}

// endSending closes the data connection in good order when err is nil, else it cuts it, and returns
// the reply that ends the transfer.
func (s *session) endSending(ctx context.Context, t *transfer, out *outgoing, err error) reply {
	if out.z != nil && err == nil {
		err = out.z.Close() // only now: a stream that is closed looks whole
	}
	if err == nil {
		err = out.conn.finish()
	}
	s.logTransfer(ctx, t, err)
	s.srv.totals.bytesDelivered.Add(t.bytes())
	if err != nil {
		out.abandon()
		r := s.transferFailed(ctx, t, err)
		if r.code == 450 || r.code == 550 {
			r.code = 451 // what has begun cannot be refused any more (RFC 959, section 5.4)
		}
		return r
	}
	s.srv.totals.downloads.Add(1)
	return reply{226, "Transfer complete."}
}

// connect says 150 and opens the data connection. The file is open and allowed by then.
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
	t.waitFor(e.close)
	conn, err := e.open(ctx)
	if err != nil {
		return nil, s.noConnection(ctx, t, err)
	}
	var c *dataConn
	if p, is := e.(*passive); is {
		c = p.secured()
	}
	if c != nil {
		t.waitIsOver()
		t.conn.Store(c)
		return c, reply{}
	}
	c = s.newDataConn(conn)
	if s.private {
		t.waitFor(c.abort)
		if err := c.secure(ctx, s.srv.tls.data(s.id, c.tap.hold)); err != nil {
			return nil, s.noConnection(ctx, t, err)
		}
	}
	t.waitIsOver()
	t.conn.Store(c)
	return c, reply{}
}

func (s *session) noConnection(ctx context.Context, t *transfer, err error) reply {
	s.srv.totals.failed.Add(1)
	s.done.told = true
	s.logger.LogAttrs(ctx, slog.LevelWarn, "no data connection", slog.String("command", t.verb), slog.Any("error", err))
	if cause := context.Cause(ctx); cause != nil {
		r, _ := errorReply(cause)
		return r
	}
	return noPort(err)
}

// transferFailed is the reply to a transfer that broke: the cause of ctx where somebody ended it,
// the storage's error where that was it, and otherwise the connection.
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

// logTransfer tells and remembers how t ended: with err, or rather with the cause of ctx where
// somebody ended it.
func (s *session) logTransfer(ctx context.Context, t *transfer, err error) {
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	s.remember(t, err)
	s.done.count(t, err)
	s.done.told = true
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

// stor replaces a file, or continues it where REST said (RFC 959, section 4.1.3; RFC 3659, section
// 5).
func (s *session) stor(ctx context.Context, arg string) reply {
	off := s.takeRestart()
	name, r := s.path(ctx, arg)
	if !r.isZero() {
		return r
	}
	return s.receive(ctx, "STOR", name, off, "")
}

// appe appends to a file, or creates it.
func (s *session) appe(ctx context.Context, arg string) reply {
	s.takeRestart()
	name, r := s.path(ctx, arg)
	if !r.isZero() {
		return r
	}
	return s.receive(ctx, "APPE", name, AtEnd, "")
}

// stou stores under a name of the server's choice, which the reply tells in the form that the
// client can use where it is (RFC 1123, section 4.1.2.9).
func (s *session) stou(ctx context.Context, arg string) reply {
	s.takeRestart()
	if arg == "" {
		arg = "upload"
	}
	arg += "." + rand.Text()[:12]
	name, r := s.path(ctx, arg)
	if !r.isZero() {
		return r
	}
	return s.receive(ctx, "STOU", name, 0, "FILE: "+arg)
}
