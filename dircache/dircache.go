// Package dircache remembers the directories of a remote, so that a listing and the names in it
// cost one request for a while.
//
//	dircache.go  the Tree: Stat, and single names that are remembered
//	listing.go   List, and listings that are remembered
//	flight.go    a listing under way, shared by all who want it
//	noting.go    what is changed through the Tree
//	change.go    what that does to what is remembered
//	watch.go     what others change, where the remote tells
//	newest.go    times of directories, where the remote keeps none
//	warm.go      listing everything in advance
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

// Options are what a Tree may be told. The zero value remembers nothing.
type Options struct {
	// Time is how long a directory counts as it was listed; 0 = it is always asked for. A remote
	// that is as quick as a cache (Caps.Live) is always asked.
	Time time.Duration
	// RefreshWait is how long the refresh of a directory that was listed before may take before the
	// old listing is shown and the refresh goes on behind it; 0 = as long as it takes.
	RefreshWait time.Duration
	// Entries is how many entries of directories are remembered at most; 0 = 500,000. One takes
	// about 150 bytes.
	Entries int
	// PollInterval is how often a remote that has to be asked what has changed is asked, as long as
	// Watch runs; 0 = never. One that tells by itself is listened to, or with 0 is not.
	PollInterval time.Duration

	Log *slog.Logger // nil: nothing is logged
}

// A Tree is a remote whose directories are remembered. Its methods may be called concurrently.
//
// A directory that was listed to its end counts for the time that Options say; within it, names are
// looked up in the listing, and what is not in it does not exist. Any other name is asked for by
// itself, and the answer is remembered as well; that there is no such file, only for a moment. What
// is changed through the Tree changes what is remembered at once. An expired listing stays until
// room is needed: it is shown when the remote cannot be reached.
type Tree struct {
	noting

	// dependencies
	breaker *breaker.Breaker // whether the remote answers
	log     *slog.Logger

	// constant
	live     bool // the remote is as quick as a cache: everything passes through
	fold     bool // the remote takes names that differ in case for one
	implicit bool // directories exist by having files in them
	fresh    time.Duration
	missing  time.Duration // how long a name that does not exist is remembered
	wait     time.Duration // how long a refresh may take before the old listing is shown; 0 = as long as it takes
	capacity int           // weight of all listings together, see weightOf

	mu      sync.Mutex
	dirs    map[string]*listing  // guarded by mu
	recent  list.List            // guarded by mu; of *listing, the one used last in front
	count   int                  // guarded by mu; INVARIANT: all dirs and their entries
	weight  int                  // guarded by mu; INVARIANT: that of all dirs and their entries
	points  map[string]point     // guarded by mu; single names
	flights map[string]*flight   // guarded by mu; listings under way that others may join
	flying  map[*flight]struct{} // guarded by mu; all listings under way
	changes uint64               // guarded by mu; changes made through the Tree so far
	running sync.WaitGroup       // flights
	watch   watch
}

// New returns what remembers the directories of r, of which b knows whether it answers. Both stay
// the caller's to close.
func New(r remote.Remote, b *breaker.Breaker, o Options) *Tree {
	caps := r.Info().Caps
	t := &Tree{
		breaker:  b,
		log:      o.Log,
		live:     caps.Live || o.Time <= 0,
		fold:     caps.CaseInsensitive,
		implicit: caps.ImplicitDirs,
		fresh:    o.Time,
		missing:  min(o.Time, missingTime),
		wait:     o.RefreshWait,
		capacity: o.Entries,
		dirs:     map[string]*listing{},
		points:   map[string]point{},
		flights:  map[string]*flight{},
		flying:   map[*flight]struct{}{},
	}
	t.noting = noting{remote.Forward{Remote: r}, t}
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

// Direct returns the remote itself, which is asked each time. What is changed through it changes
// what is remembered as if it were changed through the Tree.
func (t *Tree) Direct() remote.Remote { return t.noting }

// Live reports whether nothing is remembered.
func (t *Tree) Live() bool { return t.live }

// point is what the remote said of a single name.
type point struct {
	entry  remote.Entry
	exists bool
	part   bool // the size of a file that a directory may hide: see remote.SizeOnly
	at     time.Time
}

// maxPoints and maxPointName bound the memory of single lookups. When they are that many, all are
// forgotten; a name of more bytes is not remembered.
const (
	maxPoints    = 10_000
	maxPointName = 1024
)

// Stat describes name, from what is remembered or by asking the remote for this name only.
func (t *Tree) Stat(ctx context.Context, name string) (remote.Entry, error) {
	return t.stat(ctx, name, !breaker.MayWait(ctx))
}

// StatSoon is Stat for who can go without an answer: it fails when there is none soon.
func (t *Tree) StatSoon(ctx context.Context, name string) (remote.Entry, error) {
	return t.stat(ctx, name, true)
}

func (t *Tree) stat(ctx context.Context, name string, soon bool) (remote.Entry, error) {
	if t.live {
		return t.Remote.Stat(ctx, name)
	}
	e, known, changes := t.recall(name, remote.SizeOnlyOf(ctx) == nil)
	switch {
	case known == Fresh:
		return e, nil
	case known == Missing:
		return remote.Entry{}, &fs.PathError{Op: "stat", Path: name, Err: remote.ErrNotExist}
	case known == Unknown && !soon:
		asked, err := t.Remote.Stat(ctx, name)
		t.breaker.Report(ctx, err)
		return t.learnt(ctx, name, asked, err, changes)
	}
	var asked remote.Entry
	err := t.breaker.Ask(ctx, func(ctx context.Context) (err error) {
		asked, err = t.Remote.Stat(ctx, name)
		return err
	})
	if known == Stale && err != nil && !errors.Is(err, remote.ErrNotExist) && ctx.Err() == nil {
		t.inVain(ctx, "the remote does not answer; showing what was known", name, err)
		return e, nil
	}
	return t.learnt(ctx, name, asked, err, changes)
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

// learnt remembers what the remote has said of name, and returns it.
func (t *Tree) learnt(ctx context.Context, name string, e remote.Entry, err error, changes uint64) (remote.Entry, error) {
	switch {
	case err == nil:
		t.learn(name, point{entry: e, exists: true, part: remote.SizeOnlyOf(ctx).Used(), at: time.Now()}, changes)
	case errors.Is(err, remote.ErrNotExist):
		t.learn(name, point{at: time.Now()}, changes)
	}
	return e, err
}

// inVain logs that something old is shown, unless that was said a moment ago.
func (t *Tree) inVain(ctx context.Context, what, name string, err error, more ...slog.Attr) {
	level := slog.LevelWarn
	if err == breaker.ErrOpen {
		level = slog.LevelDebug
	}
	t.log.LogAttrs(ctx, level, what, append([]slog.Attr{slog.String("path", name), slog.Any("error", err)}, more...)...)
}

// Freshness says how much what Recall found counts.
type Freshness uint8

const (
	// Unknown is a name of which nothing is remembered.
	Unknown Freshness = iota
	// Fresh is one that counts.
	Fresh
	// Missing is one that does not exist.
	Missing
	// Stale is one that has expired; it is better than nothing.
	Stale
)

// Recall returns what is remembered of name without asking for it.
func (t *Tree) Recall(name string) (remote.Entry, Freshness) {
	e, f, _ := t.recall(name, true)
	return e, f
}

// Known returns what is remembered of name and counts.
func (t *Tree) Known(name string) (remote.Entry, bool) {
	e, f, _ := t.recall(name, true)
	return e, f == Fresh
}

// recall looks name up. whole lets what was learnt under remote.SizeOnly be stale. changes is for
// learn.
func (t *Tree) recall(name string, whole bool) (e remote.Entry, k Freshness, changes uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	dir, base := remote.Split(name)
	if l := t.dirs[dir]; l != nil && name != "." {
		e, found := l.lookup(base)
		switch isFresh := now.Sub(l.at) < t.fresh; {
		case isFresh && found:
			t.recent.MoveToFront(l.place)
			return e, Fresh, t.changes
		case isFresh && !t.fold:
			return e, Missing, t.changes
		case found:
			k = Stale
		}
		if k == Stale {
			if p, ok := t.points[name]; !ok || !p.exists {
				return e, k, t.changes
			}
		}
	}
	p, ok := t.points[name]
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

// learn remembers an answer of the remote, unless something was changed while it was on its way.
func (t *Tree) learn(name string, p point, changes uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.changes != changes || len(name)+len(p.entry.Name)+len(p.entry.Version) > maxPointName {
		return
	}
	if len(t.points) >= maxPoints {
		clear(t.points)
	}
	t.points[name] = p
}
