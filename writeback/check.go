package writeback

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"sync"

	"ferry/breaker"
	"ferry/cache"
	"ferry/dircache"
	"ferry/remote"
)

// Checks before a change is accepted: whether name can be a file here, and what the remote has
// under it. A remote that does not answer delays nothing: the change is then accepted unchecked and
// is pending.

// seenDirs remembers directories that existed, on a remote where a query costs as much as storing a
// file: a query is only worth while for a remembered one. When there are too many, arbitrary ones
// are dropped.
type seenDirs struct {
	mu    sync.Mutex
	known map[string]struct{} // guarded by mu; by key
}

const maxSeenDirs = 10_000

// above records that the directories above name exist.
func (s *seenDirs) above(name string) {
	for dir, _ := remote.Split(name); dir != "."; dir, _ = remote.Split(dir) {
		if !s.add(dir) {
			return
		}
	}
}

// add records that dir exists, and reports whether it was unknown.
func (s *seenDirs) add(dir string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.known[dir]; ok {
		return false
	}
	if s.known == nil || len(s.known) >= maxSeenDirs {
		s.known = map[string]struct{}{}
	}
	s.known[dir] = struct{}{}
	return true
}

func (s *seenDirs) drop(dir string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.known, dir)
}

func (s *seenDirs) has(dir string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.known[dir]
	return ok
}

// A baseState is what the remote has under a name.
type baseState struct {
	base    cache.Base
	version string
	entry   remote.Entry // if base is BasePresent
	done    uint64       // Tree.done when it was queried
}

// lookupBase returns what the remote has under name: from the cache, or by a query if that is worth
// while. An error is the remote's answer that there can be no such file.
func (v *Tree) lookupBase(ctx context.Context, name string, ask bool) (baseState, error) {
	v.mu.Lock()
	known := baseState{done: v.done}
	v.mu.Unlock()
	e, k := v.names.Recall(name)
	switch {
	case k == dircache.Fresh:
		known.set(e)
		return known, nil
	case k == dircache.Missing:
		known.base = cache.BaseAbsent
		return known, nil
	case !ask:
		return known, nil
	}
	e, err := v.names.StatSoon(ctx, name)
	switch {
	case err == nil:
		known.set(e)
	case errors.Is(err, remote.ErrNotExist):
		known.base = cache.BaseAbsent
	case ctx.Err() != nil:
		return known, context.Cause(ctx)
	case breaker.IsAnswer(err):
		return known, err
	default:
		v.logProbeFailure(ctx, name, err)
	}
	return known, nil
}

// logProbeFailure logs that the remote did not answer an optional query.
func (v *Tree) logProbeFailure(ctx context.Context, name string, err error) {
	if err != nil && err != breaker.ErrOpen && !errors.Is(err, remote.ErrNotExist) && !errors.Is(err, remote.ErrNotDir) {
		v.log.LogAttrs(ctx, slog.LevelInfo, "the remote does not say what it has; going on without", slog.String("path", name), slog.Any("error", err))
	}
}

func (k *baseState) set(e remote.Entry) {
	k.base, k.version, k.entry = cache.BasePresent, e.Version, e
}

// worthProbing reports whether a query is cheaper than storing a file, or name is likely to be a
// directory.
func (v *Tree) worthProbing(name string) bool {
	return !v.caps.ImplicitDirs || v.dirs.has(name)
}

// checkTarget checks whether there may be a file called name, and returns what it replaces. A
// missing directory, a directory of that name and a file that may not be changed are errors.
func (v *Tree) checkTarget(ctx context.Context, name string) (baseState, error) {
	st, c := v.look(name)
	var known baseState
	switch st {
	case isDir:
		return known, remote.ErrIsDir
	case underFile:
		return known, remote.ErrNotDir
	case isDeleted:
		if c != nil && c.rec.Kind == cache.RemovedDir {
			if err := v.removedDirFirst(ctx, c); err != nil {
				return known, err
			}
			return v.checkTarget(ctx, name)
		}
		return known, v.checkParent(ctx, name)
	case isFile, isMoved: // what it replaces is a pending change
		return known, v.checkParent(ctx, name)
	}
	known, err := v.lookupBase(ctx, name, v.worthProbing(name))
	switch {
	case err != nil:
		return known, err
	case known.base == cache.BasePresent && known.entry.Dir:
		return known, remote.ErrIsDir
	case known.base == cache.BasePresent && known.entry.ReadOnly:
		return known, remote.ErrPermission
	case known.base == cache.BasePresent:
		return known, nil
	case v.caps.ImplicitDirs:
		return known, v.checkImplicit(ctx, name)
	}
	return known, v.checkParent(ctx, name)
}

// checkImplicit checks whether there can be a file called name on a remote with implicit
// directories. It does not query the remote if pending changes concern names above name.
func (v *Tree) checkImplicit(ctx context.Context, name string) error {
	if v.changesAbove(name) {
		return nil
	}
	err := v.breaker.Ask(ctx, func(ctx context.Context) error {
		err := remote.CheckTarget(ctx, v.remote, name)
		if errors.Is(err, remote.ErrNotExist) {
			if root := v.checkRoot(ctx, nil); root != nil { // a missing root proves nothing
				v.logProbeFailure(ctx, name, root)
				return remote.ErrUnsupported
			}
		}
		return err
	})
	switch {
	case errors.Is(err, remote.ErrIsDir), errors.Is(err, remote.ErrNotDir), errors.Is(err, remote.ErrNotExist),
		errors.Is(err, remote.ErrPermission):
		return err
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil && !errors.Is(err, remote.ErrUnsupported):
		v.logProbeFailure(ctx, name, err)
	}
	return nil
}

// changesAbove reports whether a pending change creates, replaces or removes a name above name.
func (v *Tree) changesAbove(name string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	for dir, _ := remote.Split(name); dir != "."; dir, _ = remote.Split(dir) {
		if v.pending.newest(dir) != nil {
			return true
		}
	}
	return false
}

// checkParent checks that the parent of name exists, if the remote requires one. With pending
// changes in it, it is known to exist.
func (v *Tree) checkParent(ctx context.Context, name string) error {
	dir, _ := remote.Split(name)
	if v.caps.ImplicitDirs || dir == "." {
		return nil
	}
	switch st, _ := v.look(dir); st {
	case isDir:
		return nil
	case isDeleted:
		return remote.ErrNotExist
	case isFile, isMoved, underFile:
		return remote.ErrNotDir
	}
	known, err := v.lookupBase(ctx, dir, true)
	switch {
	case err != nil:
		return err
	case known.base == cache.BaseAbsent:
		return remote.ErrNotExist
	case known.base == cache.BasePresent && !known.entry.Dir:
		return remote.ErrNotDir
	}
	return nil
}

// checkNew refuses a name that the remote cannot hold.
func (v *Tree) checkNew(ctx context.Context, op, name string) error {
	if err := v.check(ctx, op, name); err != nil {
		return err
	}
	if err := v.CheckName(name); err != nil {
		return err
	}
	if v.caps.MaxName > 0 {
		for elem := range elements(name) {
			if len(elem) > v.caps.MaxName {
				return &fs.PathError{Op: op, Path: name, Err: remote.ErrBadName}
			}
		}
	}
	return nil
}

// baseAt returns what the remote has under name: according to old, the pending change of name, or
// else known.
// LOCKS_REQUIRED(v.mu)
func (v *Tree) baseAt(name string, old *change, known baseState) (cache.Base, string) {
	switch {
	case old != nil:
		return old.base()
	case v.pending.newest(name) != nil || known.done != v.done:
		return cache.BaseUnknown, ""
	}
	return known.base, known.version
}

// recent remembers which names were changed through this tree, and in which order: on a remote
// without versions, two contents of one size that were stored within a second look the same. When
// there are too many, all are dropped, and then every name counts as changed. The zero value is
// ready to use.
type recent struct {
	n     uint64            // changes so far
	at    map[string]uint64 // the last change of a name, by key
	floor uint64            // changes up to this one were dropped
}

const maxRecent = 10_000

// note records a change of key, or of everything below it.
func (r *recent) note(key string) {
	r.n++
	if r.at == nil || len(r.at) >= maxRecent {
		r.at, r.floor = map[string]uint64{}, r.n-1
	}
	r.at[key] = r.n
}

// since reports whether key, or a directory above it, may have been changed after the first n
// changes.
func (r *recent) since(key string, n uint64) bool {
	if r.floor > n {
		return true
	}
	for ; key != "."; key, _ = remote.Split(key) {
		if r.at[key] > n {
			return true
		}
	}
	return false
}
