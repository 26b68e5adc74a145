package main

import (
	"context"
	"time"

	"ferry/cmd/ferry/internal/places"
	"ferry/serve"
	"ferry/serve/users"
)

// Times between two looks at what waits in caches that nobody has open: after one that cannot be
// opened the first, then twice as long each time up to the last, which is that without trouble too.
const (
	firstAdoption = 5 * time.Second
	lastAdoption  = 10 * time.Minute
)

// adopt opens the trees in which something waits for the remote until ctx ends, so that it is sent
// without anybody logging in: at the start, when the users have changed or a tree has failed, and
// again where that did not succeed. They are closed again when it has been sent.
func (a *accounts) adopt(ctx context.Context) {
	pause := firstAdoption
	for {
		wait := lastAdoption
		if a.openWaiting(ctx) {
			pause = firstAdoption
		} else {
			wait, pause = pause, min(2*pause, lastAdoption)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		case <-a.changed:
			timer.Stop()
			pause = firstAdoption
		}
	}
}

// look has adopt look at once.
func (a *accounts) look() {
	select {
	case a.changed <- struct{}{}:
	default: // it will
	}
}

// openWaiting opens what something waits in, and reports whether all could be opened that can be.
func (a *accounts) openWaiting(ctx context.Context) bool {
	all := true
	for _, n := range a.options.places.Waiting(a.trees.keeps, a.log) {
		err := a.openFor(ctx, n)
		if err != nil && ctx.Err() == nil {
			a.log.WarnContext(ctx, "files wait in the cache, and their remote cannot be opened", "user", n.User, "dir", n.Dir, "error", err)
			all = false
		}
	}
	return all
}

// openFor opens what its user sees now, and if that is not the remote of the cache, the remote that
// it was.
func (a *accounts) openFor(ctx context.Context, n places.Note) error {
	u, ok := a.known(n.User)
	if ok && u.Auth == users.AuthRemote {
		ok = false // what the user sees now needs the password, and has no cache
	}
	var failed error
	if ok {
		tree, err := a.backend.Tree(ctx, u)
		if err == nil {
			defer tree.Close()
		}
		failed = err
	}
	if a.trees.keeps(n.Dir) {
		return nil
	}
	if n.Remote == "" {
		if failed == nil {
			a.log.WarnContext(ctx, "files wait in the cache for a user who does not see their remote any more: "+
				"give it back to one, or look at ferry cache", "user", n.User, "dir", n.Dir)
		}
		return failed
	}
	_, release, err := a.trees.open(ctx, serve.Wanted{Remote: n.Remote, User: n.User, Options: n.Options})
	if err == nil {
		release()
	}
	return err
}

// known returns a user who does not log in. Who is asked about users is only asked with a password,
// so that there what a user of the same name would see without one is taken for it.
func (a *accounts) known(name string) (users.User, bool) {
	if a.file != nil {
		return a.file.source.File().User(name)
	}
	return users.User{Name: name, Auth: users.AuthHash}, a.backend.Remote != ""
}
