package dircache

import (
	"container/list"
	"maps"
	"slices"
	"strings"
	"time"

	"ferry/remote"
)

// A listing is a cached directory. base is immutable, so that it can be read without the lock.
type listing struct {
	dir     string
	base    []remote.Entry           // sorted by compareNames; parts follow the file of their name
	changed map[string]*remote.Entry // guarded by Tree.mu; changes made through ferry since, nil = removed
	at      time.Time                // when the listing began; the zero time = invalidated
	newest  time.Time                // guarded by Tree.mu; newest time known below dir
	place   *list.Element            // in Tree.recent
	weight  int                      // of the directory and base
}

// lookup returns the file or directory called base in l; parts are ignored.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) lookup(l *listing, base string) (remote.Entry, bool) {
	if e, ok := l.changed[base]; ok {
		if e == nil {
			return remote.Entry{}, false
		}
		return *e, true
	}
	i, found := slices.BinarySearchFunc(l.base, base, func(e remote.Entry, name string) int {
		return t.compareNames(e.Name, name)
	})
	for found && i < len(l.base) && l.base[i].Name == base {
		if l.base[i].Part == "" {
			return l.base[i], true
		}
		i++
	}
	return remote.Entry{}, false
}

// LOCKS_REQUIRED(Tree.mu)
func (l *listing) empty() bool {
	for i := range l.base {
		if e, ok := l.changed[l.base[i].Name]; !ok || e != nil {
			return false
		}
	}
	for _, e := range l.changed {
		if e != nil {
			return false
		}
	}
	return true
}

// holdsOthers reports whether l certainly has an entry other than base. l may be nil.
// LOCKS_REQUIRED(Tree.mu)
func (l *listing) holdsOthers(base string) bool {
	if l == nil {
		return false
	}
	for i := range l.base {
		name := l.base[i].Name
		if e, ok := l.changed[name]; name != base && l.base[i].Part == "" && (!ok || e != nil) {
			return true
		}
	}
	for name, e := range l.changed {
		if name != base && e != nil {
			return true
		}
	}
	return false
}

// A snapshot is an immutable copy of a listing.
type snapshot struct {
	base    []remote.Entry
	changed map[string]*remote.Entry
	at      time.Time
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
	t.sort(entries)
	l := &listing{dir: dir, base: slices.Clip(entries), at: at, weight: 1 + len(dir)/weightBytes + weight}
	l.newest = t.newestIn(dir, entries)
	t.noteTime(dir, l.newest)
	l.place = t.recent.PushFront(l)
	t.dirs[dir] = l
	t.remembered(dir)
	t.count += 1 + len(entries)
	t.weight += l.weight
	for t.weight > t.capacity && t.recent.Len() > 1 {
		t.dropListing(t.recent.Back().Value.(*listing).dir)
	}
	for i := range entries {
		t.dropName(remote.Join(dir, entries[i].Name))
	}
}

// cacheName caches what a request for a single name, or for a listing of it, has brought, unless
// something was changed after it.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) cacheName(name string, p nameEntry, changes uint64) {
	if t.changes != changes || len(name)+len(p.entry.Name)+len(p.entry.Version) > maxNameLength {
		return
	}
	if t.spellings != nil && strings.Count(name, "/") > maxNameDepth {
		return
	}
	if len(t.names) >= maxNames {
		t.dropNames()
	}
	t.names[name] = p
	t.remembered(name)
}

// dropListing drops the listing of dir.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) dropListing(dir string) {
	if l := t.dirs[dir]; l != nil {
		t.recent.Remove(l.place)
		t.count -= 1 + len(l.base)
		t.weight -= l.weight
		delete(t.dirs, dir)
		delete(t.appeared, l)
		t.forgotten(dir)
	}
}

// dropName drops what is known of name by itself.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) dropName(name string) {
	if _, known := t.names[name]; known {
		delete(t.names, name)
		t.forgotten(name)
	}
}

// dropNames drops all single names.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) dropNames() {
	if t.spellings == nil {
		clear(t.names)
	}
	for name := range t.names {
		t.dropName(name)
	}
}

// dropAll drops all listings and names.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) dropAll() {
	clear(t.dirs)
	clear(t.names)
	t.recent.Init()
	t.count, t.weight = 0, 0
	if t.spellings != nil {
		t.spellings = newSpellings()
		clear(t.appeared)
	}
}

// rebase merges the changes into the base.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) rebase(l *listing) {
	base := make([]remote.Entry, 0, len(l.base)+len(l.changed))
	(&snapshot{base: l.base, changed: l.changed}).yield(func(e remote.Entry, _ error) bool {
		base = append(base, e)
		return true
	})
	t.sort(base)
	t.count += len(base) - len(l.base)
	gained := weightOfAll(base) - weightOfAll(l.base)
	t.weight += gained
	l.weight += gained
	l.base, l.changed = base, nil
	delete(t.appeared, l)
}

func (t *Tree) sort(entries []remote.Entry) {
	slices.SortFunc(entries, func(a, b remote.Entry) int {
		if n := t.compareNames(a.Name, b.Name); n != 0 {
			return n
		}
		return strings.Compare(a.Part, b.Part)
	})
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
