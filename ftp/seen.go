package ftp

import (
	"context"
	"crypto/tls"
	"io"
	"os"
	"time"
)

// seen is what the Observer will be told of the current command.
type seen struct {
	report CommandReport
	tls    uint16 // of the control connection
	told   bool   // the Observer was told already
}

// who returns who the client is now.
func (s *session) who() Who {
	w := Who{Session: s.id, Remote: s.remote, Client: s.shown.client, Began: s.began, Tree: s.fs}
	if s.fs != nil {
		w.User = s.name
	}
	if s.seen != nil {
		w.TLS = s.seen.tls
	}
	return w
}

// see begins the report of a command. c is nil if there is none of that name.
func (s *session) see(c *command, verb []byte, arg string) {
	if s.seen == nil {
		return
	}
	s.seen.told = false
	s.seen.report = CommandReport{Began: time.Now()}
	r := &s.seen.report
	switch {
	case c == nil:
		r.Verb = string(wordOf(verb))
	case c.name == "PASS", c.name == "ACCT", c.name == "SITE":
		r.Verb = c.name
	default:
		r.Verb, r.Argument = c.name, arg
	}
}

// seeSite notes the subcommand of SITE.
func (s *session) seeSite(c *command, arg string) {
	if s.seen != nil {
		s.seen.report.Verb, s.seen.report.Argument = "SITE "+c.name, arg
	}
}

// seePath notes what the command is about.
func (s *session) seePath(name string) {
	if s.seen != nil {
		s.seen.report.Path, s.seen.report.Argument = absolute(name), ""
	}
}

// seeRename notes the names of RNTO.
func (s *session) seeRename(from, to string) {
	if s.seen != nil {
		s.seen.report.Path, s.seen.report.To = absolute(from), absolute(to)
	}
}

// seeError notes why a command fails.
func (s *session) seeError(err error) {
	if s.seen != nil {
		s.seen.report.Err = err
	}
}

// seeTransfer notes what t has moved.
func (s *session) seeTransfer(t *transfer) {
	if s.seen == nil || !t.movesData() {
		return
	}
	r := &s.seen.report
	r.Transfer.Opened = t.conn.Load() != nil
	r.Transfer.Bytes = t.bytes()
	r.Transfer.ASCII = s.ascii && s.srv.ConvertASCII
	r.Transfer.Deflate, r.Transfer.Private = s.deflate, s.private
	if t.stored != "" {
		r.Path = absolute(t.stored)
	}
}

// seeUpload notes the upload that begins.
func (s *session) seeUpload(up Upload, off int64) {
	if s.seen != nil {
		s.seen.report.Transfer.Upload, s.seen.report.Transfer.Offset = up, off
	}
}

// seeDownload notes where a download begins, and the file.
func (s *session) seeDownload(off int64, body io.Reader) {
	if s.seen == nil {
		return
	}
	t := &s.seen.report.Transfer
	t.Offset, t.Size = off, -1
	if f, is := body.(*os.File); is {
		if fi, err := f.Stat(); err == nil {
			t.Size = fi.Size()
		}
	}
}

// seeEnd notes how a transfer ended.
func (s *session) seeEnd(err error, aborted bool) {
	if s.seen != nil {
		s.seen.report.Err, s.seen.report.Aborted = err, aborted
	}
}

// tell tells the Observer of the current command, once, and of r, the reply to it. It is called
// before that is written; the zero reply is of a command that nobody waits for any more.
func (s *session) tell(r reply) {
	if s.seen == nil || s.seen.told || r.isZero() {
		return
	}
	s.seen.told = true
	s.seen.report.Code, s.seen.report.Text = r.code, r.text
	s.srv.Observer.CommandDone(s.who(), &s.seen.report)
}

// tellDuring tells of a command that is answered while a transfer runs.
func (s *session) tellDuring(verb string, r reply) {
	if s.seen != nil {
		s.srv.Observer.CommandDone(s.who(), &CommandReport{Verb: verb, Code: r.code, Text: r.text, Began: time.Now()})
	}
}

// tellLogin tells of an attempt to log in that began at a time; the zero time: nothing was checked.
func (s *session) tellLogin(began time.Time, l LoginReport) {
	if s.seen == nil {
		return
	}
	if !began.IsZero() {
		l.Took = time.Since(began)
	}
	s.srv.Observer.LoginDone(s.who(), &l)
}

// now returns the time if the Observer will be told how long something took.
func (s *session) now() time.Time {
	if s.seen == nil {
		return time.Time{}
	}
	return time.Now()
}

// tellHandshake tells of a handshake on conn.
func (s *session) tellHandshake(data bool, conn *tls.Conn, err error) {
	if s.seen == nil {
		return
	}
	h := HandshakeReport{Data: data, Err: err}
	if conn != nil && err == nil {
		state := conn.ConnectionState()
		h.Version, h.Resumed = state.Version, state.DidResume
		if !data {
			s.seen.tls = state.Version
		}
	}
	s.srv.Observer.HandshakeDone(s.who(), &h)
}

// tellData tells of the handshake of a data connection.
func (s *session) tellData(c *dataConn) {
	if c.tls != nil {
		s.tellHandshake(true, c.tls, nil)
	}
}

// tellBegin tells that the session begins.
func (s *session) tellBegin() {
	if s.srv.Observer != nil {
		s.seen = &seen{}
		s.srv.Observer.SessionBegan(s.who())
	}
}

// tellEnd tells that the session ends.
func (s *session) tellEnd() {
	if s.seen == nil {
		return
	}
	w := s.who()
	if w.User == "" {
		w.User = s.done.user
	}
	s.srv.Observer.SessionEnded(w, s.ending, "")
}

// endingBy returns why a session ends that was interrupted.
func endingBy(ctx context.Context, dismissed bool) Ending {
	switch cause := context.Cause(ctx); {
	case cause == errKicked:
		return EndKicked
	case cause == errNotAdmitted:
		return EndRefused
	case cause == nil && dismissed:
		return EndDismiss
	}
	return EndShutdown
}
