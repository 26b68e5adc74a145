package main

import (
	"context"
	"log/slog"

	"ferry/serve/prehooks"
	"ferry/serve/users"
)

// openPrehooks opens the hooks of the flags, and of a file of users that may be nil, that are asked
// before something is done.
func (o *options) openPrehooks(file *users.File, log *slog.Logger) (*prehooks.Hooks, error) {
	list, err := o.hooksOf(file)
	if err != nil {
		return nil, err
	}
	return prehooks.New(list, prehooks.Options{Spool: o.places.Checks(), Source: hookSource(), Log: log, Called: o.watched.HookCalled()})
}

// hooksAsked returns those that are asked: those of a, or of the flags where nobody else has users.
// Both may be nil.
func hooksAsked(ls *listenings, a *accounts) *prehooks.Hooks {
	switch {
	case a != nil && a.backend.Hooks != nil:
		return a.backend.Hooks
	case ls != nil:
		return ls.asked
	}
	return nil
}

// replaceHooks has the hooks of f, which may be nil, asked from now on. It may be called on nil.
func (a *accounts) replaceHooks(ctx context.Context, f *users.File) {
	if a == nil {
		return
	}
	list, err := a.options.nextHooks(f)
	if err == nil {
		err = a.backend.Hooks.Set(list)
	}
	if err != nil {
		a.log.ErrorContext(ctx, "the hooks that are asked stay as they were", "error", err)
	}
}
