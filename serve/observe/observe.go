// Package observe records in the stream of events what happens in sessions.
//
// The files, in reading order:
//
//	observe.go   the Observer of an FTP server: its reports become events
//	command.go   which events a command is
//	tree.go      a Backend whose trees say in each change on whose behalf it is made
package observe

import (
	"context"
	"errors"
	"sync"
	"time"

	"ferry/events"
	"ferry/ftp"
)

// An Observer brings what an FTP server reports to a stream.
type Observer struct {
	stream *events.Stream
	source string
}

var _ ftp.Observer = (*Observer)(nil)

// New returns an Observer that records in stream. source is what knows the users, as "file", if
// their trees do not say it.
func New(stream *events.Stream, source string) *Observer { return &Observer{stream, source} }

// endings are the causes of events.Disconnect.
var endings = map[ftp.Ending]string{
	ftp.EndLost: "lost", ftp.EndQuit: "quit", ftp.EndIdle: "idle", ftp.EndKicked: "kicked", ftp.EndDismiss: "kicked",
	ftp.EndShutdown: "drain", ftp.EndRefused: "refused",
}

// pool has events for the next report: listeners keep none, and each is half a KiB.
var pool = sync.Pool{New: func() any { return new(events.Event) }}

// take returns an empty event, which record gives back, or give.
func take() *events.Event { return pool.Get().(*events.Event) }

// event takes an event about w that became true now. It and what it is made of are filled in place:
// an Event in a frame would be stack that each session keeps.
func event(kind events.Kind, w *ftp.Who) *events.Event {
	e := take()
	e.Kind, e.Time, e.Session, e.User, e.Address = kind, time.Now(), w.Session, w.User, w.Remote
	e.TLS, e.Client = ftp.TLSVersion(w.TLS), w.Client
	return e
}

// give gives back an event that was taken.
func give(e *events.Event) {
	*e = events.Event{}
	pool.Put(e)
}

// record brings e to the stream, and gives it back. A listener that cannot take note of it has said
// so in the log.
func (o *Observer) record(e *events.Event) {
	_ = o.stream.Record(context.Background(), e)
	give(e)
}

// SessionBegan implements ftp.Observer.
func (o *Observer) SessionBegan(w ftp.Who) {
	if o.stream.Wants(events.Connect) {
		o.record(event(events.Connect, &w))
	}
}

// SessionEnded implements ftp.Observer.
func (o *Observer) SessionEnded(w ftp.Who, end ftp.Ending, reason string) {
	if end == ftp.EndKicked && o.stream.Wants(events.Kick) {
		o.record(event(events.Kick, &w))
	}
	if !o.stream.Wants(events.Disconnect) {
		return
	}
	e := event(events.Disconnect, &w)
	e.Cause, e.Rule, e.Duration = endings[end], reason, e.Time.Sub(w.Began)
	o.record(e)
}

// LoginDone implements ftp.Observer.
func (o *Observer) LoginDone(w ftp.Who, l *ftp.LoginReport) {
	kind, source, memory := events.LoginRefused, o.source, ""
	if l.Kind == ftp.LoggedIn {
		kind = events.Login
		if t, is := w.Tree.(*tree); is {
			t.began(w)
			source = t.source(source)
			if t.remembered {
				memory = "cache"
			}
		}
	}
	if !o.stream.Wants(kind) {
		return
	}
	e := event(kind, &w)
	e.User, e.Duration = l.User, l.Took
	if kind == events.Login {
		e.Rule, e.Argument = source, memory
	} else {
		e.Result, e.Cause, e.Rule = refused(l)
	}
	o.record(e)
}

// refused says why nobody was let in, and what was against it.
func refused(l *ftp.LoginReport) (result events.Result, cause, rule string) {
	rule = l.Text
	if l.Err != nil {
		rule = l.Err.Error()
	}
	var limit interface{ Limit() bool }
	switch {
	case l.Kind == ftp.UnknownUser:
		return events.Denied, "unknown", ""
	case l.Kind == ftp.WrongPassword:
		return events.Denied, "password", ""
	case l.Kind == ftp.LoginHeldOff:
		return events.Denied, "held off", rule
	case errors.As(l.Err, &limit) && limit.Limit():
		return events.Denied, "limit", rule
	case l.Err != nil && !errors.Is(l.Err, ftp.ErrDenied):
		return events.Failed, "unavailable", rule
	}
	return events.Denied, "rule", rule
}

// HandshakeDone implements ftp.Observer.
func (o *Observer) HandshakeDone(w ftp.Who, h *ftp.HandshakeReport) {
	if !o.stream.Wants(events.Handshake) {
		return
	}
	e := event(events.Handshake, &w)
	e.TLS, e.Command = ftp.TLSVersion(h.Version), "control"
	if h.Data {
		e.Command = "data"
	}
	switch {
	case h.Err != nil:
		e.Result, e.Cause = events.Failed, h.Err.Error()
	case h.Resumed:
		e.Cause = "resumed"
	}
	o.record(e)
}
