package main

import (
	"context"
	"log/slog"
	"slices"
	"sync"

	"ferry/cmd/ferry/internal/logging"
	"ferry/ftp"
	"ferry/serve/defence"
	"ferry/serve/proxyheader"
)

// A watch is who keeps clients away, and the log of logins.
type watch struct {
	guard   *defence.Guard
	log     *defence.AuthLog // nil = none
	proxies proxyheader.Networks
}

// openWatch returns what the flags ask for. The caller closes it.
func (o *options) openWatch(log *slog.Logger) (*watch, error) {
	var authLog *defence.AuthLog
	if name := o.Defence.AuthLog; name != "" {
		var err error
		if authLog, err = defence.OpenAuthLog(name); err != nil {
			return nil, err
		}
	}
	known := o.networks()
	guard, err := defence.New(defence.Options{
		Allow: known.Allow, Deny: known.Deny, Trusted: known.Trusted,
		Proxied: len(o.Defence.Proxies) > 0, Off: o.Defence.Bans == "off",
		File: o.places.Bans(), AuthLog: authLog, Log: log, Events: o.ofAll().events,
	})
	if err != nil {
		authLog.Close()
		return nil, err
	}
	return &watch{guard, authLog, o.Defence.Proxies}, nil
}

// networks are those that flags name.
func (o *options) networks() defence.Networks {
	return defence.Networks{Allow: o.Defence.Allow, Deny: o.Defence.Deny, Trusted: slices.Concat(o.Defence.Trusted, o.Defence.Proxies)}
}

// protect sets who is admitted to server, and by way of whom. What others has banned is not.
func (w *watch) protect(server *ftp.Server, others *peers) {
	server.Guard = w.guard
	others.guard(server, w.guard)
	if len(w.proxies) > 0 {
		server.Proxies = w.proxies
	}
}

// run keeps the bans until ctx ends.
func (w *watch) run(ctx context.Context, wg *sync.WaitGroup) {
	wg.Go(func() { _ = w.guard.Run(ctx) }) // it returns when ctx has ended
}

// reopen opens the log of logins again.
func (w *watch) reopen(ctx context.Context, log *slog.Logger) {
	if w.log == nil {
		return
	}
	if err := w.log.Reopen(); err != nil {
		log.ErrorContext(ctx, "the old log of logins stays", "error", err)
		return
	}
	log.Log(ctx, logging.Notice, "opened the log of logins again", "file", w.log.Name())
}

func (w *watch) close() { w.log.Close() }
