package dircache

import (
	"container/list"
	"context"
	"io/fs"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"ferry/breaker"
	"ferry/remote"
)

// A listing is a cached directory. base is immutable, so that it can be read without the lock.
type listing struct {
	dir     string
	base    []remote.Entry           // sorted by name; parts follow the file of their name
	changed map[string]*remote.Entry // guarded by Tree.mu; changes made through ferry since, nil = removed
	at      time.Time                // when the listing began; the zero time = invalidated
	newest  time.Time                // guarded by Tree.mu; newest time known below dir
	place   *list.Element            // in Tree.recent
	weight  int                      // of the directory and base
}

// lookup returns the file or directory called base; parts are ignored.
// LOCKS_REQUIRED(Tree.mu)
func (l *listing) lookup(base string) (remote.Entry, bool) {
	if e, ok := l.changed[base]; ok {
		if e == nil {
			return remote.Entry{}, false
		}
		return *e, true
	}
	i, found := slices.BinarySearchFunc(l.base, base, func(e remote.Entry, name string) int {
		return strings.Compare(e.Name, name)
	})
	for found && i < len(l.base) && l.base[i].Name == base {
		if l.base[i].Part == "" {
			return l.base[i], true
		}
		i++
	}
	return remote.Entry{}, false
}

// List yields the entries of dir: from a fresh listing, else from the remote as they arrive. At
// most one listing of a directory is in progress, shared by all callers.
func (t *Tree) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	if t.uncached {
		return t.Remote.List(ctx, dir)
	}
	return func(yield func(remote.Entry, error) bool) {
		stale, isFresh := t.listed(dir)
		if isFresh {
			stale.yield(yield)
			return
		}
		if stale != nil && !t.breaker.Closed() {
			t.yieldStale(ctx, dir, stale, breaker.ErrOpen, yield)
			return
		}
		if !breaker.MayWait(ctx) && !t.breaker.Closed() {
			yield(remote.Entry{}, &fs.PathError{Op: "list", Path: dir, Err: breaker.ErrOpen})
			return
		}
		f := t.join(ctx, dir)
		defer f.leave()
		if stale != nil && t.wait > 0 && !f.finishedWithin(ctx, t.wait) {
			f.detach()
			stale.yield(yield)
			return
		}
		if stale != nil {
			err := f.failedWithin(ctx, t.breaker.Wait())
			if err == breaker.ErrSilent {
				f.detach()
			}
			if err != nil && ctx.Err() == nil && !breaker.IsAnswer(err) {
				t.yieldStale(ctx, dir, stale, err, yield)
				return
			}
		}
		f.yield(ctx, yield)
	}
}

// yieldStale yields an expired listing, because a new one failed with err.
func (t *Tree) yieldStale(ctx context.Context, dir string, stale *snapshot, err error, yield func(remote.Entry, error) bool) {
	if err != breaker.ErrOpen {
		t.breaker.Report(ctx, err)
	}
	t.logProbeFailure(ctx, "the remote does not answer; showing an old listing", dir, err, slog.Duration("age", time.Since(stale.at)))
	stale.yield(yield)
}

// A snapshot is an immutable copy of a listing.
type snapshot struct {
	base    []remote.Entry
	changed map[string]*remote.Entry
	at      time.Time
}

// Listed returns the cached listing of dir, however old; false if there is none.
func (t *Tree) Listed(dir string) (iter.Seq2[remote.Entry, error], bool) {
	s, _ := t.listed(dir)
	if s == nil {
		return nil, false
	}
	return s.yield, true
}

// listed returns the cached listing of dir, or nil, and whether it is fresh.
func (t *Tree) listed(dir string) (s *snapshot, isFresh bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.dirs[dir]
	if l == nil {
		return nil, false
	}
	t.recent.MoveToFront(l.place)
	return &snapshot{l.base, maps.Clone(l.changed), l.at}, time.Since(l.at) < t.fresh
}

func (s *snapshot) yield(yield func(remote.Entry, error) bool) {
	for i := range s.base {
		if len(s.changed) > 0 && s.base[i].Part == "" {
			if _, replaced := s.changed[s.base[i].Name]; replaced {
				continue
			}
		}
		if !yield(s.base[i], nil) {
			return
		}
	}
	for _, e := range s.changed {
		if e != nil && !yield(*e, nil) {
			return
		}
	}
}

// store caches a complete listing of dir that began at the time at, unless it exceeds the capacity
// by itself. The least recently used listings are evicted.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) store(dir string, entries []remote.Entry, at time.Time) {
	t.dropListing(dir)
	weight := weightOfAll(entries)
	if weight > t.capacity {
		return
	}
	sortEntries(entries)
	l := &listing{dir: dir, base: slices.Clip(entries), at: at, weight: 1 + len(dir)/weightBytes + weight}
	l.newest = t.newestIn(dir, entries)
	t.noteTime(dir, l.newest)
	l.place = t.recent.PushFront(l)
	t.dirs[dir] = l
	t.count += 1 + len(entries)
	t.weight += l.weight
	for t.weight > t.capacity && t.recent.Len() > 1 {
		t.dropListing(t.recent.Back().Value.(*listing).dir)
	}
	for i := range entries {
		delete(t.names, remote.Join(dir, entries[i].Name))
	}
}

// dropListing drops the listing of dir.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) dropListing(dir string) {
	if l := t.dirs[dir]; l != nil {
		t.recent.Remove(l.place)
		t.count -= 1 + len(l.base)
		t.weight -= l.weight
		delete(t.dirs, dir)
	}
}

// weightBytes is the length of strings that counts as weight 1. Names of files on disk are shorter,
// but those of a remote may have any length.
const weightBytes = 256

// weightOf returns the weight of an entry, which stands for its memory.
func weightOf(e *remote.Entry) int {
	return 1 + (len(e.Name)+len(e.Version)+len(e.Part))/weightBytes
}

func weightOfAll(entries []remote.Entry) int {
	weight := 0
	for i := range entries {
		weight += weightOf(&entries[i])
	}
	return weight
}
