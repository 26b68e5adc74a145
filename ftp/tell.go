package ftp

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"time"
)

// A tally is what a session has done, for the line at its end.
type tally struct {
	user           string // the last one that logged in
	files          int    // moved as a whole
	received, sent int64  // bytes of files, as on the wire
	refused        int    // commands
	told           bool   // the log has a line on what became of the command at hand
}

// Commands whose refusals are answers: programs ask in this way what there is.
var asking = map[string]bool{"SIZE": true, "MDTM": true, "MLST": true, "HOST": true, "CLNT": true, "OPTS": true, "LANG": true}

// How many refused commands of a session are logged, before its login and after.
const (
	maxToldBefore = 3
	maxToldAfter  = 30
)

// address are the attributes that say who the client is. The port is apart, so that the address can
// be looked for.
func address(remote netip.AddrPort) (addr, port slog.Attr) {
	return slog.String("address", remote.Addr().String()), slog.Int("port", int(remote.Port()))
}

// tellRefusal logs a command that was refused, with the reason. Probing clients do not fill the
// log: questions, and what a session sends beyond a number, is for those who want to see more. c is
// nil when there is no such command.
func (s *session) tellRefusal(ctx context.Context, c *command, verb []byte, arg string, r reply) {
	told := s.done.told
	s.done.told = false
	if r.code < 400 || r.code == 421 || told {
		return
	}
	s.done.refused++
	most := maxToldAfter
	if s.fs == nil {
		most = maxToldBefore
	}
	level := slog.LevelWarn
	if s.done.refused > most || c != nil && asking[c.name] || c == nil && s.fs == nil {
		level = slog.LevelInfo
	}
	if !s.logger.Enabled(ctx, level) {
		return
	}
	if c != nil {
		verb = []byte(c.name) // the line is not kept while a command is carried out
	}
	verb, arg = harmless(c, verb, arg)
	s.logger.LogAttrs(ctx, level, "command refused", slog.String("user", s.name), slog.String("command", string(verb)),
		slog.String("arg", arg), slog.Int("code", r.code), slog.String("reason", r.text))
}

// count adds a transfer that has ended to the tally.
func (d *tally) count(t *transfer, err error) {
	if t.listing() {
		return
	}
	switch t.verb {
	case "RETR":
		d.sent += t.bytes()
	default:
		d.received += t.bytes()
	}
	if err == nil {
		d.files++
	}
}

// listing reports whether t moves no file.
func (t *transfer) listing() bool { return t.verb == "LIST" || t.verb == "NLST" || t.verb == "MLSD" }

// levelOf is the level of a transfer that ended with err: one that the client gave up needs
// nobody's attention.
func levelOf(err error) slog.Level {
	if err == nil || errors.Is(err, errAborted) || errors.Is(err, errShutdown) || errors.Is(err, errKicked) {
		return slog.LevelInfo
	}
	return slog.LevelWarn
}

// tellEnd logs what a session that has logged in did.
func (s *session) tellEnd(ctx context.Context) {
	if d := &s.done; d.user != "" {
		s.logger.LogAttrs(context.WithoutCancel(ctx), slog.LevelInfo, "session ended", slog.String("user", d.user),
			slog.Int("files", d.files), slog.Int64("received", d.received), slog.Int64("sent", d.sent),
			slog.Int("refused", d.refused), slog.Duration("took", time.Since(s.began)))
	}
}

// takeRest answers an upload that the storage refuses, and then takes what still comes for a while:
// a connection that is closed while bytes arrive is reset, and a client that cannot send on looks
// no further for the reply.
func (s *session) takeRest(ctx context.Context, t *transfer, c *dataConn, r reply) {
	s.unwatch(t)
	s.ctl.write(r)
	if s.ctl.flush() == nil {
		defer context.AfterFunc(ctx, c.abort)()
		c.dismiss(restTime)
	}
}

// restTime is how long the rest of an upload is taken that nobody wants.
const restTime = 10 * time.Second
