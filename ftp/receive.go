package ftp

import (
	"cmp"
	"context"
	"errors"
	"io"
	"time"
)

// errIncomplete is an upload whose bytes ended, but not in a way that can be believed.
var errIncomplete = errors.New("the upload is incomplete")

// errTooMuchAhead is an upload with so many commands behind it that the end of the control
// connection cannot be seen.
var errTooMuchAhead = errors.New("too many commands wait behind the upload")

// receive runs an upload: it opens the file, says 150, takes the bytes and publishes them. What is
// not known to be whole is never published.
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
	defer up.Abort()
	opening = cmp.Or(opening, "Ready to receive "+quote(name)+".")
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
	s.srv.totals.bytesReceived.Add(c.count())
	if err == nil {
		err = s.believe(t, begin, announced)
	}
	if err == nil {
		// From here on the file is whole: only the end of the session can still keep it from being
		// published.
		t.whole = true
		s.watch(t)
		if commitErr := up.Commit(session); commitErr != nil {
			err = &fileError{commitErr}
		}
	}
	s.logTransfer(ctx, t, err)
	if err != nil {
		up.Abort()
		return s.endRefused(ctx, t, c, err)
	}
	s.srv.totals.uploads.Add(1)
	if verb == "STOU" {
		return reply{226, "Transfer complete. " + opening}
	}
	return reply{226, "Transfer complete."}
}

// endRefused says why an upload has failed. Where the storage refused it, what the client still
// sends is taken before.
func (s *session) endRefused(ctx context.Context, t *transfer, c *dataConn, err error) reply {
	r := s.uploadFailed(ctx, t, err)
	if file := (*fileError)(nil); errors.As(err, &file) && context.Cause(ctx) == nil {
		s.takeRest(ctx, t, c, r)
		return reply{}
	}
	return r
}

// endOf is where an append to name begins, 0 when that is not known. ALLO may announce what comes
// or the whole file.
func (s *session) endOf(ctx context.Context, name string) int64 {
	fi, err := s.fs.Stat(ctx, name)
	if err != nil {
		return 0
	}
	return max(fi.Size(), 0)
}

// readIn copies the data connection to the upload, undoing MODE Z and TYPE A where they are on.
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

// believe decides whether an upload that ended without an error is whole. FTP has no length: a
// client that was killed closes both connections at once, and that looks like the end of a file.
// Such an upload counts only when ALLO had announced just that many bytes, or when the
// administrator trusts the clients, or when QUIT was the client's last word: other commands may
// have been sent ahead of the data. Fewer bytes than announced are never the whole file.
func (s *session) believe(t *transfer, off, announced int64) error {
	s.unwatch(t)
	n := t.bytes()
	exact := !s.deflate && !(s.ascii && s.srv.ConvertASCII) // bytes on the wire are bytes of the file
	announcedThis := exact && announced > 0 && (n == announced || off+n == announced)
	if exact && n < announced && !announcedThis {
		return errIncomplete
	}
	if announcedThis || s.srv.AcceptAbruptClose {
		return nil
	}
	switch {
	case s.saidQuit():
		return nil
	case t.lost:
		return errControlLost
	}
	return s.lastWords(s.grace(n, time.Since(t.began)))
}

// grace is how long the end of the control connection may come behind that of the data: the time
// between two packets that were sent together, which is a small part of what the transfer took.
// Over TLS nobody needs to wait, for a client that is killed sends no close_notify. An empty file
// is what a client leaves that is killed before its first byte.
func (s *session) grace(n int64, took time.Duration) time.Duration {
	switch {
	case s.private && s.waiting < maxPending:
		return 0
	case s.private:
		return minGrace
	case n == 0:
		return maxGrace
	}
	return min(max(took/8, minGrace), maxGrace)
}

const (
	minGrace = 500 * time.Microsecond
	maxGrace = 50 * time.Millisecond
)

func (s *session) uploadFailed(ctx context.Context, t *transfer, err error) reply {
	switch {
	case errors.Is(err, errIncomplete):
		s.srv.totals.failed.Add(1)
		return reply{426, "Fewer bytes came than ALLO announced; not stored."}
	case errors.Is(err, errTooMuchAhead):
		s.srv.totals.failed.Add(1)
		return reply{426, "Too many commands were sent ahead; not stored."}
	case errors.Is(err, errControlLost):
		s.srv.totals.failed.Add(1)
		return reply{426, "Control connection lost; not stored."}
	case s.private && !s.deflate && err == io.ErrUnexpectedEOF && context.Cause(ctx) == nil: // not the storage's
		s.srv.totals.failed.Add(1)
		return reply{426, "The data connection ended without close_notify of TLS; not stored."}
	}
	return s.transferFailed(ctx, t, err)
}
