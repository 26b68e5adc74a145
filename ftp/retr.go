package ftp

import (
	"context"
	"fmt"
	"io"
	"os"
)

// retr sends a file, or the part of it selected by REST or RANG (RFC 959, section 4.1.3).
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
	content, opening, size := announce(name, body, off, limit)
	s.seeDownload(off, size)
	t.expected.Store(expected(body, content, off, limit))
	out, r := s.startSending(ctx, t, opening)
	if !r.isZero() {
		return r
	}
	defer out.abort()
	return s.endSending(ctx, t, out, s.copyBody(out.w, content))
}

// announce returns the part of body to send, the text of 150, which clients parse for the size, and
// the size of the whole file, below 0 if that is not known. A file is sent with the size that it
// had when it was opened; this saves a system call at its end. limit < 0 is none.
func announce(name string, body io.Reader, off, limit int64) (content io.Reader, opening string, whole int64) {
	opening, whole = "Sending "+quote(name), -1
	if f, isFile := body.(*os.File); isFile {
		if fi, err := f.Stat(); err == nil {
			whole = fi.Size()
			size := max(whole-off, 0)
			if limit < 0 || size < limit {
				limit = size
			}
			opening = fmt.Sprintf("%s (%d bytes)", opening, limit)
		}
	}
	if limit < 0 {
		return body, opening, whole
	}
	return io.LimitReader(body, limit), opening, whole
}

// expected returns how many bytes of body will be sent, 0 if unknown.
func expected(body, content io.Reader, off, limit int64) int64 {
	if l, limited := content.(*io.LimitedReader); limited {
		limit = l.N
	}
	if f, knows := body.(Sized); knows && f.FileSize() >= off && (limit < 0 || f.FileSize()-off < limit) {
		return f.FileSize() - off
	}
	return max(limit, 0)
}

// copyBody writes a file to the data connection. dst is the dataConn itself if no encoding is in
// between; then the bytes need not be copied.
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
	w    io.Writer    // conn or z
	stop func() bool
}

// startSending sends 150 and opens the data connection. It is aborted when ctx ends.
func (s *session) startSending(ctx context.Context, t *transfer, opening string) (*outgoing, reply) {
	c, r := s.connect(ctx, t, opening)
	if !r.isZero() {
		return nil, r
	}
	out := &outgoing{conn: c, w: c, stop: context.AfterFunc(ctx, c.abort)}
	if s.deflate {
		out.z = newModeZWriter(c, int(s.zlevel))
		out.w = out.z
	}
	return out, reply{}
}

// abort aborts the connection, so that the client cannot mistake the file for complete. After
// endSending it does nothing.
func (o *outgoing) abort() {
	o.stop()
	o.conn.abort()
	if o.z != nil {
		o.z.release()
	}
}

// endSending closes the data connection properly if err is nil, else aborts it. It returns the
// final reply of the transfer.
func (s *session) endSending(ctx context.Context, t *transfer, out *outgoing, err error) reply {
	if out.z != nil && err == nil {
		err = out.z.Close() // only now: a closed stream looks complete
	}
	if err == nil {
		err = out.conn.finish()
	}
	s.logTransfer(ctx, t, err)
	s.srv.account(t, &s.srv.totals.bytesDelivered)
	if err != nil {
		out.abort()
		r := s.transferFailed(ctx, t, err)
		if r.code == 450 || r.code == 550 {
			r.code = 451 // after 150 it cannot be refused any more (RFC 959, section 5.4)
		}
		return r
	}
	s.srv.totals.downloads.Add(1)
	return reply{226, "Transfer complete."}
}
