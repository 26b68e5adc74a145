package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/places"
	"ferry/config"
	"ferry/disk"
	"ferry/events"
	"ferry/hooks"
	"ferry/hooks/settings"
	"ferry/serve/users"
)

// errNotServed is why it is not known yet what became of an upload.
var errNotServed = errors.New("the remote of it is not served now")

// Times for which names must stay the same: what is sent later is often renamed meanwhile.
const (
	settleCached = 2 * time.Second
	settleOff    = time.Second
)

// ownHooks returns the hooks of the flags, and those of a file of flags that has no users.
func (o *options) ownHooks() []settings.Hook {
	own := slices.Clone(o.Hooks.List)
	if o.file != nil && !o.UsersThere {
		own = append(own, o.file.Tables.Hooks()...)
	}
	return own
}

// checkOwnHooks looks at what the own hooks name on this machine, and returns what cannot be used.
func (o *options) checkOwnHooks() error {
	var all []error
	for _, h := range o.Hooks.List {
		if _, err := h.Look(); err != nil {
			all = append(all, fmt.Errorf("--hook: %w", err))
		}
	}
	if o.file != nil && !o.UsersThere {
		all = append(all, o.file.Tables.CheckHooks())
	}
	return errors.Join(all...)
}

// checkHooks is checkOwnHooks, and looks at the hooks of a file of users too, which may be nil.
func (o *options) checkHooks(file *users.File) error {
	err := o.checkOwnHooks()
	if file != nil {
		err = errors.Join(err, file.CheckHooks())
	}
	return err
}

// hooksOf returns the own hooks, as they were read last, and those of a file of users, which may be
// nil. Each has a name.
func (o *options) hooksOf(file *users.File) ([]settings.Hook, error) {
	all := o.ownHooks()
	if again := o.ofAll().hooks.Load(); again != nil {
		all = slices.Clone(*again)
	}
	if file != nil {
		all = append(all, file.Hooks()...)
	}
	return all, settings.Unique(all)
}

// nextHooks returns hooksOf a file that was read anew, if what that names can be used.
func (o *options) nextHooks(file *users.File) ([]settings.Hook, error) {
	if file != nil {
		if err := file.CheckHooks(); err != nil {
			return nil, err
		}
	}
	return o.hooksOf(file)
}

// openHooks opens the outbox of hooks. It returns nil where there are none that are told.
func (ls *listenings) openHooks(_ context.Context, o *options, log *slog.Logger) (*listening, error) {
	file, err := o.firstUsers()
	if err != nil {
		return nil, err
	}
	if err := o.checkHooks(file); err != nil {
		return nil, err
	}
	all, err := o.hooksOf(file)
	if err != nil {
		return nil, err
	}
	kinds := events.Set(0)
	for _, h := range all {
		kinds |= h.Facts()
	}
	if kinds == 0 {
		return nil, nil
	}
	if file != nil || o.file != nil { // others may come while the server runs
		kinds = settings.Hook{Events: settings.Kinds()}.Facts()
	}
	x := o.outbox(log)
	x.Resolve, x.Renamed = ls.storedNow, ls.renamedNow
	ls.outbox = hooks.New(x)
	if err := ls.outbox.Set(all); err != nil {
		return nil, errors.Join(err, ls.outbox.Close())
	}
	kinds |= events.Of(events.Rename, events.Delete) // names change
	return &listening{
		name: "hooks", Subscription: events.Subscription{Kinds: kinds, Listener: ls.outbox},
		run: ls.outbox.Run,
		close: func() {
			if err := ls.outbox.Close(); err != nil {
				log.Error("the outbox of hooks", "error", err)
			}
		},
	}, nil
}

// firstUsers returns the file of users at the start, nil where there is none.
func (o *options) firstUsers() (*users.File, error) {
	switch {
	case o.UsersThere:
		return o.file.Users, nil
	case o.Users != "":
		return users.Read(o.Users)
	}
	return nil, nil
}

// outbox returns what the flags say of it.
func (o *options) outbox(log *slog.Logger) hooks.Options {
	x := hooks.Options{
		Disk: func() (disk.Disk, error) { return openOutbox(o.places) }, Log: log, Limit: int64(o.Hooks.Size), Hold: o.Hooks.Full == "hold",
		Settle: settleCached, Source: hookSource(),
		Unsynced: func(*events.Event) bool { return o.Cache.Ack == "spooled" },
		Called:   o.watched.HookCalled(),
	}
	if o.Cache.Mode == flags.CacheOff {
		x.Settle = settleOff
		x.Unsynced = func(e *events.Event) bool { return e.Remote == config.LocalType && !o.Given("local-sync") }
	}
	return x
}

func openOutbox(p places.Dirs) (disk.Disk, error) {
	dir := p.Hooks()
	if dir == "" {
		return nil, places.ErrNone
	}
	return disk.Open(dir)
}

// hookSource is the URI of this server in what hooks get.
func hookSource() string {
	name, err := os.Hostname()
	if err != nil {
		name = "localhost"
	}
	return "ftp://" + name
}

// setHooks makes the hooks of a file of users, and those of the flags, hold. It may be called on
// nil.
func (ls *listenings) setHooks(ctx context.Context, o *options, file *users.File, log *slog.Logger) {
	if ls == nil {
		return
	}
	all, err := o.nextHooks(file)
	if err == nil && ls.outbox != nil {
		err = ls.outbox.Set(all)
	}
	if err == nil && ls.asked != nil {
		err = ls.asked.Set(all)
	}
	switch {
	case err != nil:
		log.ErrorContext(ctx, "the hooks stay as they were", "error", err)
	case ls.outbox == nil && slices.ContainsFunc(all, func(h settings.Hook) bool { return h.Facts() != 0 }):
		log.WarnContext(ctx, "the first hooks are told of what happens from the next start on: there were none when the server started")
	}
}
