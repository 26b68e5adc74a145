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

// What has to be known before something is taken in: whether the name can be that of a file here,
// and what the remote has under it. A remote that does not answer hinders nobody: then what is
// taken in is taken on trust, and waits.

// seenDirs remembers directories that were there, on a remote where asking costs as much as storing
// a file: only where it remembers one it is worth asking. It forgets any when there are too many.
type seenDirs struct {
	mu    sync.Mutex
	known map[string]struct{} // guarded by mu; by key
}

const maxSeenDirs = 10_000

// above notes that the directories above name are there.
func (s *seenDirs) above(name string) {
	for dir, _ := remote.Split(name); dir != "."; dir, _ = remote.Split(dir) {
		if !s.add(dir) {
			return
		}
	}
}

// add notes that dir is there, and reports whether that is new.
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

// baseState is what the remote has under a name.
type baseState struct {
	base    cache.Base
	version string
	entry   remote.Entry // where base is BasePresent
	done    uint64       // Tree.done when it was asked for
}

// lookupBase returns what the remote has under name: what is remembered, and what it answers where
// asking is worth it. An error is the remote's answer that there can be no such file.
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

// logProbeFailure logs that the remote did not answer a question that can go without an answer.
func (v *Tree) logProbeFailure(ctx context.Context, name string, err error) {
	if err != nil && err != breaker.ErrOpen && !errors.Is(err, remote.ErrNotExist) && !errors.Is(err, remote.ErrNotDir) {
		v.log.LogAttrs(ctx, slog.LevelInfo, "the remote does not say what it has; going on without", slog.String("path", name), slog.Any("error", err))
	}
}

func (k *baseState) set(e remote.Entry) {
	k.base, k.version, k.entry = cache.BasePresent, e.Version, e
}

// worthProbing reports whether finding out what the remote has is cheaper than storing a file, or
// name is likely to be a directory.
func (v *Tree) worthProbing(name string) bool {
	return !v.caps.ImplicitDirs || v.dirs.has(name)
}

// checkTarget finds out whether there may be a file called name, and what it replaces. A missing
// directory, a directory of that name and a file that may not be changed are errors.
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
	case isFile, isMoved: // what it replaces is known of what waits
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

// checkImplicit makes sure that there can be a file called name on a remote whose directories exist
// by having files in them. Where what waits changes what the remote has above it, that is not
// asked.
func (v *Tree) checkImplicit(ctx context.Context, name string) error {
	if v.changesAbove(name) {
		return nil
	}
	err := v.breaker.Ask(ctx, func(ctx context.Context) error {
		err := remote.CheckTarget(ctx, v.remote, name)
		if errors.Is(err, remote.ErrNotExist) {
			if root := v.rootThere(ctx, nil); root != nil { // what is to come says nothing
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

// changesAbove reports whether something that waits makes, replaces or removes a name above name.
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

// checkParent makes sure that there is a directory for name to be made in, where the remote wants
// one. Whether it is there is known when something waits in it.
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

// baseAt returns what the remote has under name: as old knows, which waits there, or else as was
// found out.
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
// without versions, two contents of one size that were stored within a second look the same. It
// forgets all when there are too many; then everything counts as changed. The zero value is ready.
type recent struct {
	n     uint64            // changes so far
	at    map[string]uint64 // the last change of a name, by key
	floor uint64            // changes up to this one are forgotten
}

const maxRecent = 10_000

// note notes a change of the name of key, or of everything in the directory of that name.
func (r *recent) note(key string) {
	r.n++
	if r.at == nil || len(r.at) >= maxRecent {
		r.at, r.floor = map[string]uint64{}, r.n-1
	}
	r.at[key] = r.n
}

// since reports whether name of key, or a directory above it, may have been changed since there
// were n changes.
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
