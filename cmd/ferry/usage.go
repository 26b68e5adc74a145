package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"

	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/logging"
	"ferry/cmd/ferry/internal/places"
	"ferry/serve"
	"ferry/serve/quota"
	"ferry/serve/users"
)

// usage returns where it is kept what users have stored, until done is called.
func (p process) usage(ctx context.Context, o *options) (store *quota.Store, done func(), err error) {
	o.places = places.Of(o.CacheDir, p.env)
	dir := o.places.Quota()
	if dir == "" {
		return nil, nil, errors.New("there is no directory in which it is kept what users have stored: name it by --cache-dir, as for ferry serve")
	}
	store = quota.NewStore(dir)
	others, err := o.openPeers(slog.New(slog.DiscardHandler))
	if err != nil || others == nil {
		return store, func() {}, err
	}
	if done, err = others.reach(ctx); err != nil {
		return nil, nil, fmt.Errorf("what all nodes have counted cannot be found out: %w", err)
	}
	return store, done, store.Share(others.sharing(o))
}

// scan counts what a user has on the remotes. What waits in a cache is not there yet.
func (p process) scan(ctx context.Context, o *options, u users.User) (quota.Usage, error) {
	log, logFile, err := logging.Open(&o.Log, p.stderr)
	if err != nil {
		return quota.Usage{}, err
	}
	defer logFile.Close()
	direct := *o
	direct.Given = func(string) bool { return false }
	direct.Cache.Mode = flags.CacheOff
	direct.Cache.Ack = "durable"
	u.Options = nil // those of a cache, and of how things are shown
	u.Mounts = slices.Clone(u.Mounts)
	for i := range u.Mounts {
		u.Mounts[i].Options = nil
	}
	makes := u.CreateHome
	u.CreateHome = false
	trees := newUserTrees(p, &direct, nil, nil, log)
	defer trees.set.Close()
	accounts := &serve.Accounts{Open: trees.open}
	tree, err := accounts.Tree(ctx, u)
	if makes && errors.Is(err, fs.ErrNotExist) { // the user has not been here yet
		if len(u.Mounts) == 0 {
			return quota.Usage{}, nil
		}
		u.Remote = ""
		tree, err = accounts.Tree(ctx, u)
	}
	if err != nil {
		return quota.Usage{}, err
	}
	used, err := quota.Scan(ctx, tree)
	return used, errors.Join(err, tree.Close())
}
