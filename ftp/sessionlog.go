package ftp

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/netip"
	"time"
)

// A tally sums up a session, for the log line at its end.
type tally struct {
	user           string // the last one that logged in
	received, sent int64  // bytes of files, as on the wire
	files          int32  // transferred completely
	refused        int32  // commands
	logged         bool   // the result of the current command is in the log
	told           bool   // why the current command is refused is in the log, of another file
	timeless       bool   // that times cannot be set is in the log
	why            *error // for which the current command fails; nil = none that says more than the reply
}

// Commands whose refusals are normal answers: programs probe with them.
var probeCommands = map[string]bool{"SIZE": true, "MDTM": true, "MLST": true, "HOST": true, "CLNT": true, "OPTS": true, "LANG": true}

// How many refused commands of a session are logged, before and after its login.
const (
	maxRefusalsBefore = 3
	maxRefusalsAfter  = 30
)

// address returns the attributes of the client's address. The port is separate, so that logs can be
// searched for the address.
func address(remote netip.AddrPort) (addr, port slog.Attr) {
	return slog.String("address", remote.Addr().String()), slog.Int("port", int(remote.Port()))
}

// log writes a record with the number and the address of the session. Most sessions never log
// anything, and need no logger.
func (s *session) log(ctx context.Context, level slog.Level, msg string, attrs ...slog.Attr) {
	if !s.srv.log.Enabled(ctx, level) {
		return
	}
	if s.logger == nil {
		addr, port := address(s.remote)
		s.logger = s.srv.log.With(slog.Uint64("session", s.id), addr, port)
	}
	s.logger.LogAttrs(ctx, level, msg, attrs...)
}

// logCommand logs a command line without secrets. c is nil if there is no such command.
func (s *session) logCommand(ctx context.Context, c *command, verb []byte, arg string) {
	verb, arg = harmless(c, verb, arg)
	s.log(ctx, slog.LevelDebug, "command", slog.String("verb", string(verb)), slog.String("arg", arg))
}

// harmless returns the parts of a command line that may be logged.
func harmless(c *command, verb []byte, arg string) (logged []byte, with string) {
	switch {
	case c == nil:
		return wordOf(verb), "***"
	case c.name == "PASS", c.name == "ACCT":
		return verb, "***"
	}
	return verb, arg
}

// wordOf returns the beginning of an unknown verb, up to the first byte that is not a letter. The
// rest may be a secret: a PASS followed by something other than a space.
func wordOf(verb []byte) []byte {
	n := 0
	for n < min(len(verb), 16) && isASCIILetter(verb[n]) {
		n++
	}
	return verb[:n]
}

// logRefusal logs a refused command with the reason, and with the error of the FS where that says
// more. Probes, what clients send behind each upload although it was refused before, and refusals
// beyond a number per session, are logged at a lower level, so that clients cannot fill the log. c
// is nil if there is no such command.
func (s *session) logRefusal(ctx context.Context, c *command, verb []byte, arg string, r reply) {
	logged, told, why := s.done.logged, s.done.told, s.done.why
	s.done.logged, s.done.told, s.done.why = false, false, nil
	if r.code < 400 || r.code == 421 || logged {
		return
	}
	s.done.refused++
	most := maxRefusalsAfter
	if s.fs == nil {
		most = maxRefusalsBefore
	}
	level := slog.LevelWarn
	if int(s.done.refused) > most || told || c != nil && probeCommands[c.name] || c == nil && s.fs == nil {
		level = slog.LevelInfo
	}
	if !s.srv.log.Enabled(ctx, level) {
		return
	}
	if c != nil {
		verb = []byte(c.name) // the line buffer is reused while a command runs
	}
	verb, arg = harmless(c, verb, arg)
	attrs := []slog.Attr{slog.String("user", s.name), slog.String("command", string(verb)),
		slog.String("arg", arg), slog.Int("code", r.code), slog.String("reason", r.text)}
	if why != nil {
		attrs = append(attrs, slog.Any("error", *why))
	}
	s.log(ctx, level, "command refused", attrs...)
}

// saysMore reports whether err has words of its own: more than a name, and one of the errors that
// there is a reply for.
func saysMore(err error) bool {
	for err != nil {
		inner := errors.Unwrap(err)
		_, named := err.(*fs.PathError)
		_, several := err.(interface{ Unwrap() []error })
		if several || inner != nil && !named && err.Error() != inner.Error() {
			return true
		}
		err = inner
	}
	return false
}

func (s *session) logError(what, name string, err error) {
	s.done.logged = true
	s.log(context.Background(), slog.LevelError, what+" failed", slog.String("path", absolute(name)), slog.Any("error", err))
}

// count adds a finished transfer to the tally.
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

// levelOf returns the log level of a transfer that ended with err: one that the client aborted
// needs no attention.
func levelOf(err error) slog.Level {
	if err == nil || errors.Is(err, errAborted) || errors.Is(err, errShutdown) || errors.Is(err, errKicked) {
		return slog.LevelInfo
	}
	return slog.LevelWarn
}

// logEnd logs the summary of a session that has logged in.
func (s *session) logEnd(ctx context.Context) {
	if d := &s.done; d.user != "" {
		s.log(context.WithoutCancel(ctx), slog.LevelInfo, "session ended", slog.String("user", d.user),
			slog.Int("files", int(d.files)), slog.Int64("received", d.received), slog.Int64("sent", d.sent),
			slog.Int("refused", int(d.refused)), slog.Duration("took", time.Since(s.began)))
	}
}
