package ftp

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"time"
)

// stor replaces a file, or continues it at the offset of REST (RFC 959, section 4.1.3; RFC 3659,
// section 5).
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

// stou stores a file under a name chosen by the server. The reply contains it in a form that the
// client can use (RFC 1123, section 4.1.2.9).
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

// errIncomplete is an upload with fewer bytes than announced.
var errIncomplete = errors.New("the upload is incomplete")

// errTooManyPending is an upload followed by so many commands that the end of the control
// connection cannot be found.
var errTooManyPending = errors.New("too many commands wait behind the upload")

// receive runs an upload: it creates the file, sends 150, receives the bytes and commits them. An
// upload that is not known to be complete is never committed.
func (s *session) receive(session context.Context, verb, name string, off int64, opening string) reply {
	announced := s.takeAllocation()
	if _, n := s.takeRange(); n >= 0 {
		return badSequence("RANG is for RETR and HASH; use REST to continue an upload.")
	}
	if r := s.dataRefusal(); !r.isZero() {
		return r
	}
	if name == "." {
		return s.fail(verb, name, ErrIsDir)
	}
	ctx, t := s.begin(session, verb, name)
	defer s.finish(t)
	begin := max(off, 0)
	if off == AtEnd && announced > 0 {
		begin = s.endOf(ctx, name)
	}
	up, err := s.fs.Create(ctx, name, off)
	if err != nil {
		return s.fail(verb, name, err)
	}
	s.seeUpload(up, off)
	defer up.Abort()
	opening = cmp.Or(opening, "Ready to receive "+quote(name)+"."+t.placed(up, announced))
	c, r := s.connect(ctx, t, opening)
	if !r.isZero() {
		return r
	}
	defer c.abort()
	stop := context.AfterFunc(ctx, c.abort)
	err = s.readIn(c, up)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err == nil {
		err = c.finish()
	}
	s.srv.account(t, &s.srv.totals.bytesReceived)
	if err == nil {
		err = s.verifyComplete(t, begin, announced)
	}
	if err == nil {
		// From here on the file is complete: only the end of the session can still prevent the
		// commit.
		t.whole = true
		s.watch(t)
		if commitErr := up.Commit(session); commitErr != nil {
			err = &fileError{commitErr}
		}
	}
	s.logTransfer(ctx, t, err)
	if err != nil {
		up.Abort()
		return s.endRefused(ctx, t, c, opening, err)
	}
	s.srv.totals.uploads.Add(1)
	return received(t, opening)
}

// received is the reply to an upload that is stored; opening was that of STOU to its beginning.
func received(t *transfer, opening string) reply {
	if t.verb == "STOU" {
		return reply{226, "Transfer complete. " + opening}
	}
	return reply{226, "Transfer complete." + storedAs(t.stored, t.name)}
}

// placed notes under which name up is stored and how long it will be, and returns what to tell of
// the name.
func (t *transfer) placed(up Upload, announced int64) string {
	t.expected.Store(announced)
	p, may := up.(Placed)
	if !may {
		return ""
	}
	t.stored = p.Name()
	return storedAs(t.stored, t.name)
}

// storedAs tells that stored is the name of what was to be called name, if it is another one and
// not "".
func storedAs(stored, name string) string {
	if stored == "" || stored == name {
		return ""
	}
	return " Stored as " + quote(stored) + "."
}

// endRefused returns the reply to a failed upload. If the storage refused it, it sends the reply
// and drains the upload.
func (s *session) endRefused(ctx context.Context, t *transfer, c *dataConn, opening string, err error) reply {
	if errors.Is(err, ErrConcealed) && context.Cause(ctx) == nil {
		s.srv.totals.failed.Add(1)
		return received(t, opening)
	}
	r := s.uploadFailed(ctx, t, err)
	if file := (*fileError)(nil); errors.As(err, &file) && context.Cause(ctx) == nil {
		s.drainUpload(ctx, t, c, r)
		return reply{}
	}
	return r
}

// endOf returns where an append to name begins, 0 if unknown. ALLO may announce the appended bytes
// or the whole file.
func (s *session) endOf(ctx context.Context, name string) int64 {
	fi, err := s.fs.Stat(ctx, name)
	if err != nil {
		return 0
	}
	return max(fi.Size(), 0)
}

// readIn copies the data connection to the upload, decoding MODE Z and TYPE A if they are on.
func (s *session) readIn(c *dataConn, up Upload) error {
	if !s.deflate && !(s.ascii && s.srv.ConvertASCII) {
		_, err := c.copyTo(up)
		return err
	}
	var src io.Reader = c
	if s.deflate {
		z := newModeZReader(c)
		defer z.release()
		src = z
	}
	if s.ascii && s.srv.ConvertASCII {
		src = newASCIIReader(src)
	}
	return copyIn(up, src)
}

// verifyComplete decides whether an upload that ended without an error is complete. FTP has no
// length: a killed client closes both connections at once, which looks like the end of a file. Such
// an upload is accepted only if ALLO announced exactly that many bytes, if Server.AcceptAbruptClose
// is set, or if QUIT was the last command: others may have been sent ahead of the data. Fewer bytes
// than announced are never a complete file.
func (s *session) verifyComplete(t *transfer, off, announced int64) error {
	s.unwatch(t)
	n := t.bytes()
	exact := !s.deflate && !(s.ascii && s.srv.ConvertASCII) // bytes on the wire are bytes of the file
	announcedThis := exact && announced > 0 && (n == announced || off+n == announced)
	if exact && n < announced && !announcedThis {
		return errIncomplete
	}
	if announcedThis || s.srv.tuned().AcceptAbruptClose {
		return nil
	}
	switch {
	case s.endsWithQuit():
		return nil
	case t.lost:
		return errControlLost
	}
	return s.drainControl(s.controlGrace(n, time.Since(t.began)))
}

// controlGrace returns how long after the end of the data connection to wait for the end of the
// control connection: the time between two packets that were sent together, a small part of the
// time of the transfer. Over TLS there is no need to wait, because a killed client sends no
// close_notify. An empty file gets the longest wait: a client killed before its first byte leaves
// one.
func (s *session) controlGrace(n int64, took time.Duration) time.Duration {
	switch {
	case s.private && s.pendingBytes < maxPending:
		return 0
	case s.private:
		return minControlGrace
	case n == 0:
		return maxControlGrace
	}
	return min(max(took/8, minControlGrace), maxControlGrace)
}

const (
	minControlGrace = 500 * time.Microsecond
	maxControlGrace = 50 * time.Millisecond
)

func (s *session) uploadFailed(ctx context.Context, t *transfer, err error) reply {
	switch {
	case errors.Is(err, errIncomplete):
		s.srv.totals.failed.Add(1)
		return reply{426, "Fewer bytes came than ALLO announced; not stored."}
	case errors.Is(err, errTooManyPending):
		s.srv.totals.failed.Add(1)
		return reply{426, "Too many commands were sent ahead; not stored."}
	case errors.Is(err, errControlLost):
		s.srv.totals.failed.Add(1)
		return reply{426, "Control connection lost; not stored."}
	case s.private && !s.deflate && err == io.ErrUnexpectedEOF && context.Cause(ctx) == nil: // not an error of the storage
		s.srv.totals.failed.Add(1)
		return reply{426, "The data connection ended without close_notify of TLS; not stored."}
	}
	return s.transferFailed(ctx, t, err)
}

// drainUpload sends the reply to an upload that the storage refused, and then discards what still
// arrives for a while: a connection that is closed while bytes arrive is reset, and a client whose
// send fails may not read the reply.
func (s *session) drainUpload(ctx context.Context, t *transfer, c *dataConn, r reply) {
	s.unwatch(t)
	s.seeTransfer(t)
	s.tell(r)
	s.ctl.write(r)
	if s.ctl.flush() == nil {
		defer context.AfterFunc(ctx, c.abort)()
		c.dismiss(drainTime)
	}
}

// drainTime is how long the rest of a refused upload is read.
const drainTime = 10 * time.Second
