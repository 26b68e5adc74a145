// Package prehooks asks programs and addresses before something is done: whether a client may log
// in, upload, download, delete or rename, and whether what it has uploaded may be published.
//
// The files, in reading order:
//
//	prehooks.go    Hooks: who is asked; question.go: a question and its answer
//	asking.go      a tree that asks before it does something
//	checking.go    a tree that has uploads checked; check.go: such an upload; head.go: what one continues
//	status.go      how hooks have answered
//	spool.go       the local files in which uploads are checked; quarantine.go: where refused ones go
package prehooks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"ferry/events"
	"ferry/ftp"
	"ferry/hooks/call"
	"ferry/hooks/settings"
)

// Options are for all hooks.
type Options struct {
	Spool  string // directory for uploads that are checked; "" = there is none
	Source string // of questions: a URI of this server
	Log    *slog.Logger
	// Called is told of each call when it is over, by the name of its hook: "ok", "denied", or
	// "failed" if there was no answer. nil: nobody is.
	Called func(hook, result string, took time.Duration)
}

// Hooks are those that are asked. A nil *Hooks allows everything. It may be used concurrently.
type Hooks struct {
	o   Options
	log *slog.Logger
	all atomic.Pointer[hooks] // they do not change
}

// hooks are those that hold at some time.
type hooks struct {
	list  []hook
	spool *spool // nil = nothing is checked
}

type hook struct {
	settings.Hook
	caller *call.Caller
	tally  *tally
}

// New returns the hooks of list that are asked. The caller closes them.
func New(list []settings.Hook, o Options) (*Hooks, error) {
	h := &Hooks{o: o, log: o.Log}
	h.all.Store(&hooks{})
	return h, h.Set(list)
}

// Set has those of list asked from now on, by sessions that begin. After an error nothing has
// changed.
func (h *Hooks) Set(list []settings.Hook) error {
	next, checks := &hooks{}, false
	before := h.all.Load()
	for _, s := range list {
		if s.Facts() != 0 {
			continue
		}
		asked, err := newHook(s, h.o)
		if err != nil {
			next.close()
			return fmt.Errorf("hook %s: %w", s.Name, err)
		}
		asked.tally = before.tallyOf(s.Name)
		next.list = append(next.list, asked)
		checks = checks || s.Asks(check)
	}
	if checks && h.o.Spool == "" {
		next.close()
		return errors.New("there is no directory in which uploads can be checked: name one by --cache-dir")
	}
	if checks {
		var err error
		if next.spool, err = openSpool(h.o.Spool); err != nil {
			next.close()
			return err
		}
	}
	h.all.Swap(next).close()
	return nil
}

// close ends what is kept for further calls.
func (h *hooks) close() {
	for _, k := range h.list {
		k.caller.Close()
	}
}

func newHook(s settings.Hook, o Options) (hook, error) {
	timeout := settings.DefaultAskTimeout
	if s.Asks(check) {
		timeout = call.DefaultTimeout // it reads a file
	}
	of, err := s.CallOptions()
	if err != nil {
		return hook{}, err
	}
	of.Source, of.Timeout, of.Log = o.Source, cmp.Or(s.Timeout, timeout), o.Log
	c, err := call.New(of)
	return hook{Hook: s, caller: c}, err
}

// Close ends what is kept for further calls. It may be called on nil.
func (h *Hooks) Close() {
	if h != nil {
		h.all.Load().close()
	}
}

// asks reports whether any hook is asked one of the questions of the user.
func (h *hooks) asks(user string, questions ...string) bool {
	return slices.ContainsFunc(h.list, func(k hook) bool {
		return k.MatchUser(user) && slices.ContainsFunc(questions, k.Asks)
	})
}

// An asker puts the questions of one session.
type asker struct {
	*hooks
	o      *Options
	log    *slog.Logger
	client ftp.Client
	user   string
}

// of returns the asker of a session, and whether any hook is asked one of the questions.
func (h *Hooks) of(c ftp.Client, user string, questions ...string) (asker, bool) {
	all := h.all.Load()
	return asker{all, &h.o, h.log, c, user}, all.asks(user, questions...)
}

// Login asks whether a client that has shown who it is may log in. It may be called on nil.
func (h *Hooks) Login(ctx context.Context, c ftp.Client, user string) error {
	if h.none() {
		return nil
	}
	return h.login(ctx, &c, user)
}

// none reports whether there is no hook. What is done for hooks stands in functions of its own: a
// session keeps the stack of its deepest call while it is idle.
func (h *Hooks) none() bool { return h == nil || len(h.all.Load().list) == 0 }

func (h *Hooks) login(ctx context.Context, c *ftp.Client, user string) error {
	a, asks := h.of(*c, user, preLogin)
	if !asks {
		return nil
	}
	err := a.ask(ctx, question{name: preLogin, event: a.event(events.Login)})
	if refused := (*refusal)(nil); errors.As(err, &refused) {
		return fmt.Errorf("%w: %w", ftp.ErrRefused, err)
	}
	return err
}

// Ask returns tree, which asks before it does something for the user. It may be called on nil.
func (h *Hooks) Ask(tree ftp.FS, c ftp.Client, user string) ftp.FS {
	if h.none() {
		return tree
	}
	return h.newAsking(tree, &c, user)
}

func (h *Hooks) newAsking(tree ftp.FS, c *ftp.Client, user string) ftp.FS {
	a, asks := h.of(*c, user, preUpload, preDownload, preDelete, preRename)
	if !asks {
		return tree
	}
	return &asking{ftp.Forward{FS: tree}, a}
}

// Check returns tree, which has uploads of the user checked before they are published. It may be
// called on nil.
func (h *Hooks) Check(tree ftp.FS, c ftp.Client, user string) ftp.FS {
	if h.none() {
		return tree
	}
	return h.newChecking(tree, &c, user)
}

func (h *Hooks) newChecking(tree ftp.FS, c *ftp.Client, user string) ftp.FS {
	a, asks := h.of(*c, user, check)
	if !asks {
		return tree
	}
	return &checking{ftp.Forward{FS: tree}, a}
}
