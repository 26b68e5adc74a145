package writeback

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"ferry/breaker"
	"ferry/cache"
	"ferry/dircache"
	"ferry/remote"
)

// A baseState is what the remote has under a name.
type baseState struct {
	base    cache.Base
	version string
	entry   remote.Entry // if base is BasePresent
	done    uint64       // Tree.done when it was queried
}

func (k *baseState) set(e remote.Entry) {
	k.base, k.version, k.entry = cache.BasePresent, e.Version, e
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

// worthProbing reports whether a query is cheaper than storing a file, or name is likely to be a
// directory.
func (v *Tree) worthProbing(name string) bool {
	return !v.caps.ImplicitDirs || v.dirs.has(name)
}

// baseAt returns what the remote has under name: according to old, the pending change of name, or
// else known.
// LOCKS_REQUIRED(v.mu)
func (v *Tree) baseAt(name string, old *change, known baseState) (cache.Base, string) {
	switch {
	case old != nil:
		return v.baseOf(old)
	case v.pending.newest(name) != nil || known.done != v.done:
		return cache.BaseUnknown, ""
	}
	return known.base, known.version
}

// baseNow returns what the remote has under name, for a change that is recorded now and supersedes
// old, if that is not nil. If conflicts are to be noticed, the remote is asked unless it is known;
// what it had when it answered last counts where it does not. known is what was found out before.
func (v *Tree) baseNow(ctx context.Context, name string, old *change, known baseState) (cache.Base, string, error) {
	v.mu.Lock()
	base, version := v.baseAt(name, old, known)
	alone := old == nil && v.pending.newest(name) == nil
	v.mu.Unlock()
	if base != cache.BaseUnknown || !alone || v.conflict != KeepBoth {
		return base, version, nil
	}
	now, err := v.lookupBase(ctx, name, true)
	if err != nil {
		return base, version, err
	}
	if now.base == cache.BaseUnknown {
		if e, k := v.names.Recall(name); k == dircache.Stale && !e.Dir && e.Version != "" {
			now.set(e)
		}
	}
	return now.base, now.version, nil
}

// baseOf returns what the remote has under the name of c, for a change that supersedes c. If
// conflicts are to be noticed, that is the version which it had before c also where c may have been
// sent: what others store is told from it.
// LOCKS_REQUIRED(v.mu)
func (v *Tree) baseOf(c *change) (cache.Base, string) {
	base, version := c.base()
	if base == cache.BaseUnknown && v.conflict == KeepBoth {
		if x := c.leaves(); x.base == cache.BasePresent && x.version != "" {
			return x.base, x.version
		}
	}
	return base, version
}

func fingerprint(e remote.Entry) cache.Fingerprint {
	return cache.Fingerprint{Version: e.Version, Size: e.Size, ModTime: e.ModTime}
}

// checkRoot checks whether missing, an ErrNotExist, only comes from a remote whose root is missing,
// such as a bucket to be created or a disk to be mounted: then it proves nothing, and is returned.
func (v *Tree) checkRoot(ctx context.Context, missing error) error {
	if _, err := v.remote.Stat(ctx, "."); err != nil {
		return errors.Join(missing, err)
	}
	return nil
}

// logProbeFailure logs that the remote did not answer an optional query.
func (v *Tree) logProbeFailure(ctx context.Context, name string, err error) {
	if err != nil && err != breaker.ErrOpen && !errors.Is(err, remote.ErrNotExist) && !errors.Is(err, remote.ErrNotDir) {
		v.log.LogAttrs(ctx, slog.LevelInfo, "the remote does not say what it has; going on without", slog.String("path", name), slog.Any("error", err))
	}
}

// noteRemoteChange records a change of the remote: earlier answers may be wrong.
func (v *Tree) noteRemoteChange(names ...string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.done++
	for _, name := range names {
		v.recent.note(v.pending.keyOf(name))
	}
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
