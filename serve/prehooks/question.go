package prehooks

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"strings"
	"time"
	"unicode"

	"ferry/events"
	"ferry/ftp"
	"ferry/hooks/call"
)

// The questions, as settings.Questions has them.
const (
	preLogin    = "pre.login"
	preUpload   = "pre.upload"
	preDownload = "pre.download"
	preDelete   = "pre.delete"
	preRename   = "pre.rename"
	check       = "check"
)

// A question is put to every hook that it concerns.
type question struct {
	name  string
	event events.Event
	file  string // to be checked; "" = none
	// rename takes over an answer with another path; nil = there is no use for one.
	rename func(to string)
}

// A refusal is the answer no.
type refusal struct {
	hook   hook
	text   string // for the client
	code   int    // 552, or any other for 550
	Action string // of check: "drop", "quarantine", "" = what the hook is set to
	cause  error

	concealed bool // the client is told that the upload is complete
}

func (r *refusal) Error() string {
	return "refused by the hook " + r.hook.Name + ": " + r.cause.Error()
}

// Hint is what the client is told.
func (r *refusal) Hint() string { return r.text }

// Unwrap returns the error of which the engine knows the reply.
func (r *refusal) Unwrap() error {
	switch {
	case r.concealed:
		return ftp.ErrConcealed
	case r.code == 552:
		return ftp.ErrQuota
	}
	return fs.ErrPermission
}

// An unanswered question has no answer, where that means no.
type unanswered struct {
	hook  hook
	cause error
}

func (u *unanswered) Error() string {
	return "the hook " + u.hook.Name + " gave no answer: " + u.cause.Error()
}

// Hint is what the client is told.
func (u *unanswered) Hint() string {
	return "It cannot be found out at the moment whether that is allowed; try again later."
}

// Unwrap returns the cause.
func (u *unanswered) Unwrap() error { return u.cause }

// event returns the beginning of an event of the client.
func (a asker) event(k events.Kind) events.Event {
	c := a.client
	return events.Event{Kind: k, Session: c.Session, User: a.user, Address: c.Remote, Client: c.Name, Size: -1}
}

// ask puts q to each hook that it concerns, one after the other, until one says no.
func (a asker) ask(ctx context.Context, q question) error {
	q.event.Time = time.Now()
	q.event.ID = events.NewID(q.event.Time)
	for _, k := range a.list {
		if !k.Asks(q.name) || !k.MatchUser(a.user) || !k.MatchPath(q.event.Path) {
			continue
		}
		if err := a.put(ctx, k, &q); err != nil {
			level := slog.LevelInfo
			if errors.As(err, new(*unanswered)) {
				level = slog.LevelWarn
			}
			a.log.LogAttrs(ctx, level, "not allowed", slog.Uint64("session", a.client.Session),
				slog.String("question", q.name), slog.String("path", q.event.Path), slog.Any("error", err))
			return err
		}
	}
	return nil
}

// put puts q to one hook, and tells who counts.
func (a asker) put(ctx context.Context, k hook, q *question) error {
	began := time.Now()
	result, err := a.call(ctx, k, q)
	if a.o.Called != nil && result != "" {
		a.o.Called(k.Name, result, time.Since(began))
	}
	return err
}

// call puts q to one hook, and returns what came of it in one word too; "" = nothing, because the
// client did not wait.
func (a asker) call(ctx context.Context, k hook, q *question) (result string, err error) {
	m := call.Message{Name: q.name, Event: &q.event}
	if q.file != "" {
		f, err := os.Open(q.file)
		if err != nil {
			k.tally.unanswered(err, false)
			return "failed", err
		}
		defer f.Close()
		m.File, m.FilePath = f, q.file
	}
	answer, err := k.caller.Call(ctx, m)
	if err == nil {
		err = a.take(ctx, k, q, answer)
	}
	no := (*call.Error)(nil)
	switch {
	case err == nil:
		k.tally.answered()
		return "ok", nil
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case errors.As(err, &no) && no.Refused:
		k.tally.answered()
		return "denied", refusalOf(k, no)
	case k.Fail == "open":
		k.tally.unanswered(err, true)
		a.log.LogAttrs(ctx, slog.LevelWarn, "a hook gave no answer, which is yes for it", slog.Uint64("session", a.client.Session),
			slog.String("hook", k.Name), slog.String("question", q.name), slog.String("path", q.event.Path), slog.Any("error", err))
		return "failed", nil
	}
	k.tally.unanswered(err, false)
	return "failed", &unanswered{k, err}
}

// take does what an answer says that is yes, as far as it can be read.
func (a asker) take(ctx context.Context, k hook, q *question, answer call.Answer) error {
	if answer.Wrong != "" {
		return errors.New("the JSON of its answer cannot be read: " + answer.Wrong)
	}
	said := ""
	switch {
	case answer.Path != "" && q.rename != nil:
		return q.takePath(answer.Path)
	case answer.Path != "":
		said = "its answer has a path, which changes nothing here"
	case k.URL != "": // what a program writes is in the log already
		said = answer.Text()
	}
	if said != "" {
		a.log.LogAttrs(ctx, slog.LevelInfo, "hook: "+said, slog.Uint64("session", a.client.Session),
			slog.String("hook", k.Name), slog.String("question", q.name), slog.String("id", q.event.ID))
	}
	return nil
}

// takePath has q be about another path.
func (q *question) takePath(to string) error {
	name, ok := nameOf(to)
	if !ok {
		return errors.New("it answers with a path that is none: one begins with a slash, and has no line ends")
	}
	q.rename(name)
	if q.name == preRename {
		q.event.To = "/" + name
	} else {
		q.event.Path = "/" + name
	}
	return nil
}

// nameOf returns the name in a tree of an absolute path, which is not the root.
func nameOf(p string) (string, bool) {
	name := strings.TrimPrefix(path.Clean(p), "/")
	ok := strings.HasPrefix(p, "/") && name != "" && !strings.ContainsAny(name, "\r\n\x00")
	return name, ok
}

// refusalOf reads the answer no of a hook.
func refusalOf(k hook, no *call.Error) *refusal {
	r := &refusal{hook: k, text: tame(no.Message), cause: no}
	if r.text == "" {
		r.text = "Not allowed by a rule of this server."
	}
	if no.Wrong == "" {
		r.code, r.Action = no.Reply, no.Action
	}
	return r
}

// mostText is how much of a text of a hook a client is told.
const mostText = 300

// tame returns text as one line of what can be printed.
func tame(text string) string {
	var b strings.Builder
	for _, r := range strings.TrimSpace(text) {
		switch {
		case b.Len() >= mostText:
			return b.String()
		case r == unicode.ReplacementChar || !unicode.IsPrint(r):
			r = ' '
		}
		b.WriteRune(r)
	}
	return b.String()
}
