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

// listing is a directory as it was listed. base is never changed, so that those who read it need no
// lock.
type listing struct {
	dir     string
	base    []remote.Entry           // sorted by name; parts come behind the file of their name
	changed map[string]*remote.Entry // guarded by Tree.mu; what ferry did since, nil = removed
	at      time.Time                // when the listing began; the zero time = expired by hand
	newest  time.Time                // guarded by Tree.mu; known of what is below dir
	place   *list.Element            // in Tree.recent
	weight  int                      // of the directory and base
}

// lookup finds a file or directory; parts are not names.
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

// List yields the entries of dir: from a fresh listing, else from the remote as they come. One
// listing of a directory is under way at a time, shared by all who ask.
func (t *Tree) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	if t.live {
		return t.Remote.List(ctx, dir)
	}
	return func(yield func(remote.Entry, error) bool) {
		old, isFresh := t.listed(dir)
		if isFresh {
			old.yield(yield)
			return
		}
		if old != nil && !t.breaker.Closed() {
			t.showOld(ctx, dir, old, breaker.ErrOpen, yield)
			return
		}
		if !breaker.MayWait(ctx) && !t.breaker.Closed() {
			yield(remote.Entry{}, &fs.PathError{Op: "list", Path: dir, Err: breaker.ErrOpen})
			return
		}
		f := t.join(ctx, dir)
		defer f.leave()
		if old != nil && t.wait > 0 && !f.finishedWithin(ctx, t.wait) {
			f.goOnAlone()
			old.yield(yield)
			return
		}
		if old != nil {
			err := f.failedWithin(ctx, t.breaker.Wait())
			if err == breaker.ErrSilent {
				f.goOnAlone()
			}
			if err != nil && ctx.Err() == nil && !breaker.IsAnswer(err) {
				t.showOld(ctx, dir, old, err, yield)
				return
			}
		}
		f.yield(ctx, yield)
	}
}

// showOld yields a listing that has expired, because err kept the remote from giving a new one.
func (t *Tree) showOld(ctx context.Context, dir string, old *snapshot, err error, yield func(remote.Entry, error) bool) {
	if err != breaker.ErrOpen {
		t.breaker.Report(ctx, err)
	}
	t.inVain(ctx, "the remote does not answer; showing an old listing", dir, err, slog.Duration("age", time.Since(old.at)))
	old.yield(yield)
}

// snapshot is a listing that is not changed any more.
type snapshot struct {
	base    []remote.Entry
	changed map[string]*remote.Entry
	at      time.Time
}

// Listed returns what is remembered of dir, however old that is; false if nothing is.
func (t *Tree) Listed(dir string) (iter.Seq2[remote.Entry, error], bool) {
	s, _ := t.listed(dir)
	if s == nil {
		return nil, false
	}
	return s.yield, true
}

// listed returns what is remembered of dir, nil when that is nothing, and whether it is fresh.
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

// store remembers a whole listing of dir, which began at the time at, unless it is larger than
// everything there is room for. Directories that were not used for longest make room.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) store(dir string, entries []remote.Entry, at time.Time) {
	t.drop(dir)
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
		t.drop(t.recent.Back().Value.(*listing).dir)
	}
	for i := range entries {
		delete(t.points, remote.Join(dir, entries[i].Name))
	}
}

// drop forgets the listing of dir.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) drop(dir string) {
	if l := t.dirs[dir]; l != nil {
		t.recent.Remove(l.place)
		t.count -= 1 + len(l.base)
		t.weight -= l.weight
		delete(t.dirs, dir)
	}
}

// weightBytes is up to how many bytes of names an entry weighs 1. Names of files on disks are
// shorter, but a remote may call its files what it likes.
const weightBytes = 256

// weightOf bounds what an entry takes of memory, together with the number of entries.
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
