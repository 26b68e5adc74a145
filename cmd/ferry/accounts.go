package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"ferry/auth"
	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/logging"
	"ferry/cmd/ferry/internal/rcbridge"
	"ferry/events"
	"ferry/ftp"
	"ferry/remote/wrap/filter"
	"ferry/serve"
	"ferry/serve/prehooks"
	"ferry/serve/quota"
	"ferry/serve/users"
	"ferry/serve/users/importer"
	"ferry/vfs"
)

// accounts are users that are not those of the flags, and their trees. nil is the one user of the
// flags.
type accounts struct {
	file    *usersFile // nil where the users are not in a file of users
	backend *serve.Accounts
	trees   *userTrees
	options *options
	log     *slog.Logger
	close   func() error // of what is asked about users; nil: nothing

	listening *listenings // whose hooks the file of users has; nil = nobody listens

	changed chan struct{} // something may wait in caches that nobody has open
}

// A usersFile is read again when it changes; users in the file of all flags are when that is.
type usersFile struct {
	first  *users.File // as it was at the start
	source *serve.FileSource
	again  chan struct{} // it is to be read again at once; nil = it is that of all flags
}

// nothing is what is served where the command line names no remote: each user has one.
const nothing = ":memory:"

// openAccounts opens what the flags say about users. main is what the command line names.
func (p process) openAccounts(o *options, rules *filter.Filter, main *stack, log *slog.Logger) (*accounts, error) {
	if !o.HasUsers() {
		return nil, nil
	}
	if main.what == nothing {
		main = nil
	}
	a := &accounts{trees: newUserTrees(p, o, rules, main, log), options: o, log: log, changed: make(chan struct{}, 1)}
	a.backend = &serve.Accounts{Open: a.trees.open, Remote: o.userRemote, Log: log}
	if dir := o.places.Quota(); dir != "" {
		a.backend.Quota = quota.NewStore(dir)
		a.backend.Quota.Events = o.ofAll().events
	}
	if err := o.ofAll().peers.account(o, a.backend); err != nil {
		return nil, err
	}
	var err error
	switch {
	case o.UsersThere:
		err = a.openUsers(o.file.Users)
	case o.Users != "":
		err = a.openFile()
	default:
		err = a.openSource()
	}
	if err != nil {
		return nil, err
	}
	return a, nil
}

// verifier returns what verifies passwords, on half of the processors.
func (o *options) verifier() *auth.Verifier {
	return auth.NewVerifier(flags.Unlimited(o.AuthCache), 0)
}

func (a *accounts) openFile() error {
	file, err := users.Read(a.options.Users)
	if err != nil {
		return err
	}
	if err := a.openUsers(file); err != nil {
		return err
	}
	a.file.again = make(chan struct{}, 1)
	return nil
}

// openUsers makes the users of a file those who may log in.
func (a *accounts) openUsers(file *users.File) (err error) {
	a.file = &usersFile{first: file, source: serve.NewFileSource(file, a.options.verifier())}
	a.backend.Source = a.file.source
	a.backend.Hooks, err = a.options.openPrehooks(file, a.log)
	return err
}

// openSource opens what else knows users.
func (a *accounts) openSource() error {
	o := a.options
	ask := auth.AskOptions{Remember: orNone(o.AuthCache), Stale: orNone(o.Auth.Stale)}
	var who auth.Authenticator
	var err error
	switch {
	case o.Auth.Htpasswd != "":
		if who, err = auth.NewHtpasswd(o.Auth.Htpasswd, o.verifier()); err != nil {
			return fmt.Errorf("--htpasswd: %w", err)
		}
	case o.Auth.Passwd != "":
		if who, err = auth.NewPasswd(o.Auth.Passwd, o.verifier()); err != nil {
			return fmt.Errorf("--passwd: %w", err)
		}
	case o.Auth.Proxy != "":
		if who, err = auth.NewProgram(o.Auth.Proxy, ask); err != nil {
			return fmt.Errorf("--auth-proxy: %w", err)
		}
	default:
		service, err := auth.NewURL(o.Auth.URL, auth.URLOptions{AskOptions: ask, Protocol: o.Auth.Protocol, AWSRemote: o.Auth.AWSRemote})
		if err != nil {
			return fmt.Errorf("--auth-url: %w", err)
		}
		if service.Clear() {
			a.log.Warn("passwords go to the service of --auth-url in the clear: use https")
		}
		who, a.close = service, service.Close
	}
	a.backend.Source = serve.AuthSource{Auth: who, SFTPGo: importer.FromSFTPGo}
	a.backend.Hooks, err = o.openPrehooks(nil, a.log)
	return err
}

// orNone returns a time of a flag as package auth has it, where 0 is the default.
func orNone(d time.Duration) time.Duration {
	if d = flags.Unlimited(d); d == 0 {
		return -1
	}
	return d
}

// backendOf returns who may log in: the users of a, or the one of the flags.
func (a *accounts) backendOf(o *options, tree *vfs.FS, asked *prehooks.Hooks) ftp.Backend {
	if a != nil {
		return a.backend
	}
	return &serve.Backend{Auth: auth.NewSingle(o.User, o.Pass.Reveal()), Tree: tree, Hooks: asked}
}

// source is what knows the users. It may be called on nil.
func (a *accounts) source() string {
	switch {
	case a == nil:
		return "flags"
	case a.options.Auth.Proxy != "":
		return "program"
	case a.options.Auth.URL != "":
		return "url"
	}
	return "file"
}

// run does what goes on beside the sessions until ctx ends. It may be called on nil.
func (a *accounts) run(ctx context.Context, server *ftp.Server) {
	if a == nil {
		return
	}
	a.trees.failed = func(tree *vfs.FS) {
		for _, id := range a.backend.Sessions(tree) {
			server.Dismiss(id)
		}
		a.look()
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { _ = a.trees.set.Run(ctx) }) // it returns when ctx has ended
	if a.backend.Quota != nil {
		wg.Go(func() { _ = a.backend.Quota.Run(ctx) }) // so does this
	}
	wg.Go(func() { a.adopt(ctx) })
	if a.file == nil {
		a.watchProblems(ctx)
		return
	}
	a.log.Log(ctx, logging.Notice, "read the users", "file", a.file.first.Name(), "users", len(a.file.first.Names()))
	a.warnOfRemotes(ctx, a.file.first)
	if a.file.again == nil {
		<-ctx.Done()
		return
	}
	a.file.first.Watch(ctx, a.file.again,
		func(f *users.File) {
			a.replace(ctx, server, f)
			a.recordReload(ctx, nil)
		},
		func(f *users.File) { a.warnOfRemotes(ctx, f) }, // the configuration of remotes may have changed
		func(err error) {
			a.log.ErrorContext(ctx, "the users stay as they were", "error", err)
			a.recordReload(ctx, err)
		})
}

// watchProblems tells once, until ctx ends, when a file of users cannot be read any more and what
// it had before stays.
func (a *accounts) watchProblems(ctx context.Context) {
	source, _ := a.backend.Source.(serve.AuthSource)
	file, can := source.Auth.(interface{ Problem() error })
	if !can {
		return
	}
	ticker := time.NewTicker(problemInterval)
	defer ticker.Stop()
	told := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		problem := ""
		if err := file.Problem(); err != nil {
			problem = err.Error()
		}
		if problem != told && problem != "" {
			a.log.ErrorContext(ctx, "the users stay as they were", "error", problem)
		}
		told = problem
	}
}

// problemInterval is the time between two looks at whether a file of users can be read.
const problemInterval = 10 * time.Second

// replace makes f hold, and ends the sessions of users who are others in it.
func (a *accounts) replace(ctx context.Context, server *ftp.Server, f *users.File) {
	before := a.file.source.File()
	a.replaceHooks(ctx, f)
	a.file.source.Replace(f)
	for _, id := range a.backend.Reload(f) {
		server.Dismiss(id)
	}
	a.logChanges(ctx, before, f)
	a.listening.setHooks(ctx, a.options, f, a.log)
	a.warnOfRemotes(ctx, f)
	a.look()
}

// recordReload records that the file was read again, or could not be.
func (a *accounts) recordReload(ctx context.Context, err error) {
	record(ctx, a.options.ofAll().events, outcome(&events.Event{Kind: events.ConfigReload, Path: a.options.Users}, err))
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

// current returns the file of users that holds, nil where there is none. It may be called on nil.
func (a *accounts) current() *users.File {
	if a == nil || a.file == nil {
		return nil
	}
	return a.file.source.File()
}

// readAgain has the file read at once. It may be called on nil.
func (a *accounts) readAgain() {
	if a == nil || a.file == nil || a.file.again == nil {
		return
	}
	select {
	case a.file.again <- struct{}{}:
	default: // it will be read
	}
}

// end closes the trees, and what was asked. inUse says that something goes on that uses them. It
// may be called on nil.
func (a *accounts) end(inUse bool) {
	if a == nil {
		return
	}
	a.trees.inUse.Store(inUse)
	a.trees.set.Close()
	a.backend.Hooks.Close()
	if a.close != nil {
		a.close()
	}
}

// openTrees returns the trees of users that are open. It may be called on nil.
func (a *accounts) openTrees() []rcbridge.Opened {
	if a == nil {
		return nil
	}
	return a.trees.all()
}
