package main

import (
	"context"
	"log/slog"
	"runtime"
	"sync"

	"ferry/auth"
	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/logging"
	"ferry/cmd/ferry/internal/rcbridge"
	"ferry/ftp"
	"ferry/remote/wrap/filter"
	"ferry/serve"
	"ferry/serve/quota"
	"ferry/serve/users"
	"ferry/vfs"
)

// accounts are the users of a file, and their trees. nil is the one user of the flags.
type accounts struct {
	file    *users.File // as it was at the start
	source  *serve.FileSource
	backend *serve.Accounts
	trees   *userTrees
	options *options
	log     *slog.Logger
	again   chan struct{} // the file is to be read again at once
}

// nothing is what is served where the command line names no remote: each user has one.
const nothing = ":memory:"

// openAccounts reads the users file that the flags name, if they name one. main is what the command
// line names.
func (p process) openAccounts(o *options, rules *filter.Filter, main *stack, log *slog.Logger) (*accounts, error) {
	if o.Users == "" {
		return nil, nil
	}
	file, err := users.Read(o.Users)
	if err != nil {
		return nil, err
	}
	byDefault := main.what
	if main.what == nothing {
		byDefault, main = "", nil
	}
	a := &accounts{
		file:    file,
		source:  serve.NewFileSource(file, auth.NewVerifier(flags.Unlimited(o.AuthCache), max(runtime.GOMAXPROCS(0)/2, 1))),
		trees:   newUserTrees(p, o, rules, main, log),
		options: o, log: log,
		again: make(chan struct{}, 1),
	}
	a.backend = &serve.Accounts{Source: a.source, Open: a.trees.open, Remote: byDefault, Log: log}
	if dir := o.places.Quota(); dir != "" {
		a.backend.Quota = quota.NewStore(dir)
	}
	return a, nil
}

// backendOf returns who may log in: the users of a, or the one of the flags.
func (a *accounts) backendOf(o *options, tree *vfs.FS) ftp.Backend {
	if a != nil {
		return a.backend
	}
	return &serve.Backend{Auth: auth.NewSingle(o.User, o.Pass.Reveal()), Tree: tree}
}

// run does what goes on beside the sessions until ctx ends. It may be called on nil.
func (a *accounts) run(ctx context.Context, server *ftp.Server) {
	if a == nil {
		return
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { _ = a.trees.set.Run(ctx) }) // it returns when ctx has ended
	wg.Go(func() { a.openWaiting(ctx) })
	a.log.Log(ctx, logging.Notice, "read the users", "file", a.options.Users, "users", len(a.file.Names()))
	a.file.Watch(ctx, a.again,
		func(f *users.File) { a.replace(ctx, server, f) },
		func(err error) { a.log.ErrorContext(ctx, "the users stay as they were", "error", err) })
}

// replace makes f hold, and ends the sessions of users who are others in it.
func (a *accounts) replace(ctx context.Context, server *ftp.Server, f *users.File) {
	a.logChanges(ctx, a.source.File(), f)
	a.source.Replace(f)
	for _, id := range a.backend.Reload(f) {
		server.Dismiss(id)
	}
}

// logChanges tells which users have come, gone or changed.
func (a *accounts) logChanges(ctx context.Context, before, after *users.File) {
	var added, removed, changed []string
	for _, name := range after.Names() {
		now, _ := after.User(name)
		switch old, ok := before.User(name); {
		case !ok:
			added = append(added, name)
		case !now.Same(old) || !old.Same(now):
			changed = append(changed, name)
		}
	}
	for _, name := range before.Names() {
		if _, ok := after.User(name); !ok {
			removed = append(removed, name)
		}
	}
	a.log.Log(ctx, logging.Notice, "read the users again", "users", len(after.Names()),
		"added", added, "removed", removed, "changed", changed)
}

// readAgain has the file read at once. It may be called on nil.
func (a *accounts) readAgain() {
	if a == nil {
		return
	}
	select {
	case a.again <- struct{}{}:
	default: // it will be read
	}
}

// openWaiting opens the trees of users in which something waits for the remote, so that it is sent
// without anybody logging in. They are closed again when it has been sent.
func (a *accounts) openWaiting(ctx context.Context) {
	for _, name := range a.options.places.UsersWaiting(a.log) {
		u, ok := a.source.File().User(name)
		if u.Auth == users.AuthRemote {
			continue // it needs the password
		}
		if !ok {
			a.log.WarnContext(ctx, "files wait in the cache for a user who is not in the file any more", "user", name)
			continue
		}
		tree, err := a.backend.Tree(ctx, u)
		if err != nil {
			a.log.WarnContext(ctx, "files wait in the cache, and the tree of their user cannot be opened", "user", name, "error", err)
			continue
		}
		tree.Close()
	}
}

// close closes the trees. It may be called on nil.
func (a *accounts) close() {
	if a != nil {
		a.trees.set.Close()
	}
}

// openTrees returns the trees of users that are open. It may be called on nil.
func (a *accounts) openTrees() []rcbridge.Opened {
	if a == nil {
		return nil
	}
	return a.trees.all()
}
