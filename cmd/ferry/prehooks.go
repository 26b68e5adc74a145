package main

import (
	"context"
	"log/slog"
	"os"

	"ferry/hooks/settings"
	"ferry/serve/prehooks"
	"ferry/serve/users"
)

// openPrehooks opens the hooks of list that are asked before something is done.
func (o *options) openPrehooks(list []settings.Hook, log *slog.Logger) (*prehooks.Hooks, error) {
	return prehooks.New(list, prehooks.Options{Spool: o.places.Checks(), Source: questionSource(), Log: log, Called: o.watched.HookCalled()})
}

// questionSource is the URI of this server in questions.
func questionSource() string {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return "ftp://" + host
}

// replaceHooks has the hooks of f asked from now on.
func (a *accounts) replaceHooks(ctx context.Context, f *users.File) {
	if err := a.backend.Hooks.Set(f.Hooks()); err != nil {
		a.log.ErrorContext(ctx, "the hooks that are asked stay as they were", "error", err)
	}
}
