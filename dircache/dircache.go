// Package dircache caches the directories of a remote, so that a listing and lookups of its names
// cost one request for a while. The files, in reading order:
//
//	dircache.go      the Tree: Stat, and cached single names
//	warm.go          listing everything in advance
//	list.go          List and Refresh
//	flight.go        a listing in progress, shared by its readers
//	writethrough.go  changes made through the Tree
//	watch.go         changes made by others, where the remote reports them
//	change.go        how changes are applied to the cache
//	fold.go          names that differ in upper and lower case only, where that does not count
//	listing.go       cached listings, and single names
//	spellings.go     how other spellings of a name are found
//	case.go          names without their case
//	newest.go        times of directories, where the remote keeps none
package dircache

import (
	"container/list"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"ferry/breaker"
	"ferry/remote"
)

// Options configure a Tree. The zero value caches nothing.
type Options struct {
	// Time is how long a listing is fresh; 0 = nothing is cached. A remote that is as fast as a
	// cache (Caps.CheapStat) is not cached either.
	Time time.Duration
	// RefreshWait is how long a caller waits for the refresh of an expired listing. After that it
	// gets the expired listing, and the refresh continues in the background; 0 = callers wait until
	// the refresh is done.
	RefreshWait time.Duration
	// Entries is the maximum number of cached directory entries; 0 = 500,000. An entry takes about
	// 150 bytes.
	Entries int
	// PollInterval is how often a remote that must be polled for changes is polled while Follow
	// runs; 0 = never. If the remote sends notifications, any interval above 0 turns them on.
	PollInterval time.Duration

	Log *slog.Logger // nil: nothing is logged
}

// A Tree is a remote whose directories are cached. Its methods may be called concurrently.
//
// A complete listing is fresh for Options.Time. Until then names are looked up in it, and a name
// that it does not contain does not exist. Any other name is queried by itself, and the answer is
// cached too; a negative answer only for a moment. Changes made through the Tree are applied to the
// cache at once. An expired listing is kept until its memory is needed: it is used when the remote
// cannot be reached.
type Tree struct {
	writeThrough

	// dependencies
	breaker *breaker.Breaker // whether the remote answers
	log     *slog.Logger

	// constant
	uncached bool // nothing is cached: every call goes to the remote
	implicit bool // directories exist by having files in them
	fresh    time.Duration
	missing  time.Duration // how long a negative answer is fresh
	wait     time.Duration // Options.RefreshWait
	capacity int           // maximum weight of all listings, see weightOf

	mu      sync.Mutex
	dirs    map[string]*listing  // guarded by mu
	recent  list.List            // guarded by mu; of *listing, most recently used first
	count   int                  // guarded by mu; INVARIANT: all dirs and their entries
	weight  int                  // guarded by mu; INVARIANT: that of all dirs and their entries
	names   map[string]nameEntry // guarded by mu; names that were queried by themselves
	flights map[string]*flight   // guarded by mu; the flights that callers may join
	flying  map[*flight]struct{} // guarded by mu; all flights
	changes uint64               // guarded by mu; changes made through the Tree so far

	// nil unless the remote ignores the case of names
	spellings *spellings                  // guarded by mu; INVARIANT: of all dirs and names
	appeared  map[*listing]map[string]int // guarded by mu; how many changed entries exist, by folded name

	running sync.WaitGroup // flights
	counts  counts
	watch   watch
}

// New returns a Tree over r, with b as the breaker of r. The caller closes both.
func New(r remote.Remote, b *breaker.Breaker, o Options) *Tree {
	caps := r.Info().Caps
	t := &Tree{
		breaker:  b,
		log:      o.Log,
		uncached: caps.CheapStat || o.Time <= 0,
		implicit: caps.ImplicitDirs,
		fresh:    o.Time,
		missing:  min(o.Time, missingTime),
		wait:     o.RefreshWait,
		capacity: o.Entries,
		dirs:     map[string]*listing{},
		names:    map[string]nameEntry{},
		flights:  map[string]*flight{},
		flying:   map[*flight]struct{}{},
	}
	t.writeThrough = writeThrough{remote.Forward{Remote: r}, t}
	if caps.CaseInsensitive {
		t.spellings, t.appeared = newSpellings(), map[*listing]map[string]int{}
	}
	t.watch.interval = o.PollInterval
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	if t.capacity <= 0 {
		t.capacity = defaultEntries
	}
	return t
}

const (
	missingTime    = 2 * time.Second
	defaultEntries = 500_000
)

// Direct returns the remote itself, uncached. Changes made through it are applied to the cache as
// if they were made through the Tree.
func (t *Tree) Direct() remote.Remote { return t.writeThrough }

// Uncached reports whether nothing is cached.
func (t *Tree) Uncached() bool { return t.uncached }

// Stats is a snapshot of the size of the cache.
type Stats struct {
	Dirs, Files int // listings, and entries in them

	// Since it was made: what was asked of it and was answered without the remote, the rest of what
	// was asked, and the changes that the remote has reported.
	Hits, Misses, Changes uint64
}

// Stats returns the current size of the cache.
func (t *Tree) Stats() Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	return Stats{
		Dirs: len(t.dirs), Files: t.count - len(t.dirs),
		Hits: t.counts.hits.Load(), Misses: t.counts.misses.Load(), Changes: t.counts.changes.Load(),
	}
}

// Close cancels the flights and waits for their end. The remote stays open.
func (t *Tree) Close() error {
	t.mu.Lock()
	for f := range t.flying {
		f.cancel()
	}
	t.mu.Unlock()
	t.running.Wait()
	return nil
}

// nameEntry is the remote's answer for a single name.
type nameEntry struct {
	entry  remote.Entry
	exists bool
	part   bool // the answer to a remote.SizeOnly: a directory may hide the file
	at     time.Time
}

// These bound the memory of single names. When there are maxNames, all are dropped; a longer name
// is not cached, nor a deeper one where the spellings of the directories above it are kept too.
const (
	maxNames      = 10_000
	maxNameLength = 1024
	maxNameDepth  = 32
)

// Stat describes name, from the cache or by a Stat of the remote.
func (t *Tree) Stat(ctx context.Context, name string) (remote.Entry, error) {
	return t.stat(ctx, name, !breaker.MayWait(ctx))
}

// StatSoon is Stat for callers that have a fallback: it fails when the remote does not answer soon.
func (t *Tree) StatSoon(ctx context.Context, name string) (remote.Entry, error) {
	return t.stat(ctx, name, true)
}

func (t *Tree) stat(ctx context.Context, name string, soon bool) (remote.Entry, error) {
	if t.uncached {
		return t.Remote.Stat(ctx, name)
	}
	e, known, changes := t.recall(name, remote.SizeOnlyOf(ctx) == nil)
	t.counts.asked(known == Fresh || known == Missing)
	switch {
	case known == Fresh:
		return e, nil
	case known == Missing:
		return remote.Entry{}, &fs.PathError{Op: "stat", Path: name, Err: remote.ErrNotExist}
	case known == Unknown && !soon:
		answer, err := t.Remote.Stat(ctx, name)
		t.breaker.Report(ctx, err)
		return t.rememberAnswer(ctx, name, answer, err, changes)
	}
	var answer remote.Entry
	err := t.breaker.Ask(ctx, func(ctx context.Context) (err error) {
		answer, err = t.Remote.Stat(ctx, name)
		return err
	})
	if known == Stale && err != nil && !errors.Is(err, remote.ErrNotExist) && ctx.Err() == nil {
		t.logProbeFailure(ctx, "the remote does not answer; showing what was known", name, err)
		return e, nil
	}
	return t.rememberAnswer(ctx, name, answer, err, changes)
}

// Hash implements remote.Hasher.
func (t *Tree) Hash(ctx context.Context, name, algorithm string) (sum []byte, err error) {
	if breaker.MayWait(ctx) {
		return t.Forward.Hash(ctx, name, algorithm)
	}
	err = t.breaker.Ask(ctx, func(ctx context.Context) error {
		sum, err = t.Forward.Hash(ctx, name, algorithm)
		return err
	})
	return sum, err
}

// rememberAnswer caches the remote's answer for name, and returns it.
func (t *Tree) rememberAnswer(ctx context.Context, name string, e remote.Entry, err error, changes uint64) (remote.Entry, error) {
	switch {
	case err == nil:
		t.rememberName(name, nameEntry{entry: e, exists: true, part: remote.SizeOnlyOf(ctx).Used(), at: time.Now()}, changes)
	case errors.Is(err, remote.ErrNotExist):
		t.rememberName(name, nameEntry{at: time.Now()}, changes)
	}
	return e, err
}

// Freshness is the state of a name in the cache.
type Freshness uint8

const (
	// Unknown is a name that is not cached.
	Unknown Freshness = iota
	// Fresh is a name whose entry has not expired.
	Fresh
	// Missing is a name that does not exist.
	Missing
	// Stale is a name whose entry has expired; it is a fallback.
	Stale
)

// Recall returns the cached entry of name, without a request.
func (t *Tree) Recall(name string) (remote.Entry, Freshness) {
	e, f, _ := t.recall(name, true)
	return e, f
}

// Known returns the cached entry of name if it is fresh.
func (t *Tree) Known(name string) (remote.Entry, bool) {
	e, f, _ := t.recall(name, true)
	return e, f == Fresh
}

// recall looks name up. With whole, answers to a remote.SizeOnly are stale. changes is for
// rememberName.
func (t *Tree) recall(name string, whole bool) (e remote.Entry, k Freshness, changes uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	dir, base := remote.Split(name)
	if l := t.dirs[dir]; l != nil && name != "." {
		e, found := t.lookup(l, base)
		switch isFresh := now.Sub(l.at) < t.fresh; {
		case isFresh && found:
			t.recent.MoveToFront(l.place)
			return e, Fresh, t.changes
		case isFresh && t.spellings == nil:
			return e, Missing, t.changes
		case found:
			k = Stale
		}
		if k == Stale {
			if p, ok := t.names[name]; !ok || !p.exists {
				return e, k, t.changes
			}
		}
	}
	p, ok := t.names[name]
	switch age := now.Sub(p.at); {
	case !ok:
		return e, Unknown, t.changes
	case p.exists && age < t.fresh && !(whole && p.part):
		return p.entry, Fresh, t.changes
	case p.exists:
		return p.entry, Stale, t.changes
	case age < t.missing:
		return e, Missing, t.changes
	}
	return e, Unknown, t.changes
}

// rememberName caches an answer of the remote, unless something was changed after the request.
func (t *Tree) rememberName(name string, p nameEntry, changes uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cacheName(name, p, changes)
}
