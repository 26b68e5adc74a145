package ftp

import (
	"context"
	"crypto/tls"
	"sync"
	"time"
)

// seen is what the Observer will be told.
type seen struct {
	report  *CommandReport // of the current command; nil between commands, so that idle sessions hold none
	checked time.Time      // when the check of a login began; zero = nothing is checked
	tls     uint16         // of the control connection
	told    bool           // the Observer was told of the command already
}

// reports pools those of commands.
var reports = sync.Pool{New: func() any { return new(CommandReport) }}

// reported is the report of the current command, nil without an Observer.
func (s *session) reported() *CommandReport {
	if s.seen == nil {
		return nil
	}
	return s.seen.report
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
	r := reports.Get().(*CommandReport)
	*r = CommandReport{Began: time.Now()}
	s.seen.report, s.seen.told = r, false
	switch {
	case c == nil:
		r.Verb = string(wordOf(verb))
	case c.name == "PASS", c.name == "ACCT", c.name == "SITE":
		r.Verb = c.name
	default:
		r.Verb, r.Argument = c.name, arg
	}
}

// unsee ends the report.
func (s *session) unsee() {
	if r := s.reported(); r != nil {
		*r = CommandReport{}
		reports.Put(r)
		s.seen.report = nil
	}
}

// seeSite notes the subcommand of SITE.
func (s *session) seeSite(c *command, arg string) {
	if r := s.reported(); r != nil {
		r.Verb, r.Argument = "SITE "+c.name, arg
	}
}

// seePath notes what the command is about.
func (s *session) seePath(name string) {
	if r := s.reported(); r != nil {
		r.Path, r.Argument = absolute(name), ""
	}
}

// seeRename notes the names of RNTO.
func (s *session) seeRename(from, to string) {
	if r := s.reported(); r != nil {
		r.Path, r.To = absolute(from), absolute(to)
	}
}

// seeError notes why a command fails.
func (s *session) seeError(err error) {
	if saysMore(err) {
		why := err // a copy: only one that is kept is allocated
		s.done.why = &why
	}
	if r := s.reported(); r != nil {
		r.Err = err
	}
}

// seeTransfer notes what t has moved.
func (s *session) seeTransfer(t *transfer) {
	r := s.reported()
	if r == nil || !t.movesData() {
		return
	}
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
	if r := s.reported(); r != nil {
		r.Transfer.Upload, r.Transfer.Offset = up, off
	}
}

// seeDownload notes where a download begins, and how large the file is.
func (s *session) seeDownload(off, size int64) {
	if r := s.reported(); r != nil {
		r.Transfer.Offset, r.Transfer.Size = off, size
	}
}

// seeEnd notes how a transfer ended.
func (s *session) seeEnd(err error, aborted bool) {
	if r := s.reported(); r != nil {
		r.Err, r.Aborted = err, aborted
	}
}

// tell tells the Observer of the current command, once, and of r, the reply to it. It is called
// before that is written; the zero reply is of a command that nobody waits for any more.
func (s *session) tell(r reply) {
	report := s.reported()
	if report == nil || s.seen.told || r.isZero() {
		return
	}
	s.seen.told = true
	report.Code, report.Text = r.code, r.text
	s.srv.Observer.CommandDone(s.who(), report)
}

// tellDuring tells of a command that is answered while a transfer runs.
func (s *session) tellDuring(verb string, r reply) {
	if s.seen != nil {
		s.srv.Observer.CommandDone(s.who(), &CommandReport{Verb: verb, Code: r.code, Text: r.text, Began: time.Now()})
	}
}

// timeLogin notes that a password or certificate is checked from now on.
func (s *session) timeLogin() {
	if s.seen != nil {
		s.seen.checked = time.Now()
	}
}

// tellLogin tells of an attempt to log in. What it does is in a function of its own: the stack of a
// session that needs more for its login keeps it while it is idle.
func (s *session) tellLogin(user string, kind GuardKind, err error, text string) {
	if s.seen != nil {
		s.toldLogin(user, kind, err, text)
	}
}

func (s *session) toldLogin(user string, kind GuardKind, err error, text string) {
	l := &LoginReport{User: user, Kind: kind, Err: err, Text: text}
	if !s.seen.checked.IsZero() {
		l.Took = time.Since(s.seen.checked)
		s.seen.checked = time.Time{}
	}
	s.srv.Observer.LoginDone(s.who(), l)
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

// seeData notes when the first byte moves on a data connection, and tells of its handshake.
func (s *session) seeData(c *dataConn) {
	r := s.reported()
	if r == nil {
		return
	}
	c.first = &r.Transfer.FirstByte
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
