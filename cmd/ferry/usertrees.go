package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ferry/auth"
	"ferry/cache"
	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/places"
	"ferry/cmd/ferry/internal/rcbridge"
	"ferry/config"
	"ferry/remote/wrap/filter"
	"ferry/serve"
	"ferry/serve/trees"
	"ferry/vfs"
)

// userTrees opens the trees that users see.
type userTrees struct {
	process process
	options *options
	rules   *filter.Filter // may be nil
	main    *stack         // what the command line names; nil if that is nothing
	set     *trees.Set
	log     *slog.Logger
	secret  [32]byte // so that keys tell passwords apart, and nothing of them

	failed func(tree *vfs.FS) // is told of a tree that has failed; set before set.Run; may be nil

	inUse atomic.Bool // something goes on that uses the trees, although they are closed

	mu     sync.Mutex
	opened map[*vfs.FS]rcbridge.Opened // guarded by mu
	let    map[string]time.Time        // guarded by mu; when remotes last let their users in, by key of the tree
}

func newUserTrees(p process, o *options, rules *filter.Filter, main *stack, log *slog.Logger) *userTrees {
	t := &userTrees{process: p, options: o, rules: rules, main: main, log: log, opened: map[*vfs.FS]rcbridge.Opened{}, let: map[string]time.Time{}}
	t.set = trees.New(trees.Options{Log: log, Failed: func(tree *vfs.FS) {
		if t.failed != nil {
			t.failed(tree)
		}
	}})
	rand.Read(t.secret[:]) // it never fails
	return t
}

// open returns the tree that a user is to see. Users of one remote, with the same options, share
// one.
func (t *userTrees) open(ctx context.Context, w serve.Wanted) (tree *vfs.FS, release func(), err error) {
	if t.main != nil && w.Remote == t.main.what && len(w.Options) == 0 && w.Password == "" {
		return t.main.tree, func() {}, nil
	}
	tree, release, err = t.set.Use(ctx, t.key(w), func(ctx context.Context) (*trees.Tree, error) { return t.openTree(ctx, w) })
	if err != nil || w.Password == "" {
		return tree, release, err
	}
	if err := t.letIn(ctx, w); err != nil {
		release()
		return nil, nil, err
	}
	return tree, release, nil
}

// key tells trees apart. It holds no secret.
func (t *userTrees) key(w serve.Wanted) string {
	key := config.RedactRemote(w.Remote)
	for _, name := range slices.Sorted(maps.Keys(w.Options)) {
		key += fmt.Sprintf(" %s=%q", name, w.Options[name])
	}
	mac := hmac.New(sha256.New, t.secret[:])
	for _, secret := range []string{w.Remote, w.Password} {
		fmt.Fprintf(mac, "%d:%s", len(secret), secret)
	}
	if w.Password != "" {
		key += " user=" + w.User
	}
	return key + " " + hex.EncodeToString(mac.Sum(nil)[:8])
}

func (t *userTrees) openTree(ctx context.Context, w serve.Wanted) (*trees.Tree, error) {
	o, err := t.options.forUser(w)
	if err != nil {
		return nil, err
	}
	log := t.log.With("tree", w.User)
	st, err := t.process.openStack(ctx, o, w.Remote, log)
	if err == nil && w.Password != "" {
		err = st.probePassword(ctx)
	}
	if err == nil {
		err = t.explainCache(o, st, st.openTree(o, t.rules))
	}
	if err == nil && st.kept.Store != nil {
		n := places.Note{Dir: st.kept.Dir, User: w.User, Options: w.Options}
		if config.RedactRemote(w.Remote) == w.Remote {
			n.Remote = w.Remote
		}
		err = n.Write()
	}
	if err != nil {
		if st != nil {
			st.close(ctx, false)
		}
		return nil, refused(w, err)
	}
	if w.Password != "" {
		t.noteLetIn(w)
	}
	run := func(ctx context.Context) error {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		o.background(st).run(ctx, func(err error) { cancel(err) })
		return context.Cause(ctx)
	}
	t.note(rcbridge.Opened{What: w.Remote, Tree: st.tree, Cache: st.kept, Counts: st.counts, Options: &o.Options})
	end := func() {
		t.forget(st.tree, t.key(w))
		st.close(context.WithoutCancel(ctx), t.inUse.Load())
	}
	return &trees.Tree{FS: st.tree, Run: run, Close: end}, nil
}

// explainCache says what to do if err is that the cache of st is in use by a tree of this process:
// one that is written in another way, or has other options.
func (t *userTrees) explainCache(o *options, st *stack, err error) error {
	if !errors.Is(err, cache.ErrInUse) {
		return err
	}
	dir, dirErr := o.places.Store(st.remote.Info(), o.IsReadOnly())
	if dirErr != nil || !t.keeps(dir) {
		return err
	}
	return fmt.Errorf("its disk cache %s is in use for a user, or for the remote of the command line, with other options: "+
		"give all who see this remote the same cache_mode, write_ack, umask and encoding, and write the remote in one way", dir)
}

// keeps reports whether a tree of this process has its cache in dir.
func (t *userTrees) keeps(dir string) bool {
	if t.main != nil && t.main.kept.Store != nil && t.main.kept.Dir == dir {
		return true
	}
	return slices.ContainsFunc(t.all(), func(o rcbridge.Opened) bool { return o.Cache.Store != nil && o.Cache.Dir == dir })
}

func (t *userTrees) note(o rcbridge.Opened) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.opened[o.Tree] = o
}

func (t *userTrees) forget(tree *vfs.FS, key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.opened, tree)
	delete(t.let, key)
}

// all returns the trees that are open, by name.
func (t *userTrees) all() []rcbridge.Opened {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.SortedFunc(maps.Values(t.opened), func(a, b rcbridge.Opened) int { return strings.Compare(a.What, b.What) })
}

// letIn asks the remote of an open tree for its user again, in a connection of its own, if that was
// --auth-cache ago: the password may be another one by now.
func (t *userTrees) letIn(ctx context.Context, w serve.Wanted) error {
	t.mu.Lock()
	last := t.let[t.key(w)]
	t.mu.Unlock()
	if time.Since(last) < flags.Unlimited(t.options.AuthCache) {
		return nil
	}
	w.Create = false
	o, err := t.options.forUser(w)
	if err != nil {
		return err
	}
	st, err := t.process.openStack(ctx, o, w.Remote, t.log.With("tree", w.User))
	if err == nil {
		err = st.probePassword(ctx)
		st.close(ctx, false)
	}
	if err != nil {
		return refused(w, err)
	}
	t.noteLetIn(w)
	return nil
}

func (t *userTrees) noteLetIn(w serve.Wanted) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.let[t.key(w)] = time.Now()
}

// refused returns the error of opening a remote, which is auth.ErrDenied if that refuses the
// password.
func refused(w serve.Wanted, err error) error {
	if w.Password != "" && errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: the remote refuses the password: %w", auth.ErrDenied, err)
	}
	return err
}

// probePassword asks the remote for something, so that it looks at the password.
func (s *stack) probePassword(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, vfs.AnswerLimit)
	defer cancel()
	_, err := s.remote.Stat(ctx, ".")
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it has been let in
	}
	return err
}

// userFlags are the flags that options of a user stand for.
var userFlags = map[string]string{"cache_mode": "vfs-cache-mode", "write_ack": "vfs-write-ack", "umask": "umask"}

// forUser returns the options of a tree for a user. A tree that is opened with the password of its
// user is not cached: what waits could not be sent after a restart.
func (o *options) forUser(w serve.Wanted) (*options, error) {
	own := *o
	own.user = userOptions{password: w.Password, encoding: w.Options["encoding"], create: w.Create}
	rows := map[string]flags.Flag{}
	for _, g := range flags.All(&own.Options) {
		for _, row := range g.Flags {
			rows[row.Name] = row
		}
	}
	given := map[string]bool{}
	for key, value := range w.Options {
		name, is := userFlags[key]
		if !is {
			continue
		}
		if err := rows[name].Value.Set(value); err != nil {
			return nil, fmt.Errorf("%s %q: %w", key, value, err)
		}
		given[name] = true
	}
	own.Given = func(name string) bool { return given[name] || o.Given(name) }
	if w.Password != "" {
		own.Cache.Mode = flags.CacheOff
	}
	return &own, nil
}
