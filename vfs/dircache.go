package vfs

import (
	"cmp"
	"container/list"
	"context"
	"errors"
	"io/fs"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"ferry/remote"
)

// dirCache remembers what the remote said of its directories and of single names.
//
// A directory that was listed to its end counts for the time that DirCacheTime says; within it, names are looked up in
// the listing, and what is not in it does not exist. Any other name is asked for by itself, and the answer is remembered
// as well; that there is no such file, only for a moment. What is changed through ferry changes the cache at once. An
// expired listing stays until room is needed: it is shown when the remote cannot be reached.
type dirCache struct {
	// dependencies
	remote remote.Remote
	reach  *reach // whether it answers
	log    *slog.Logger

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
	changes uint64               // guarded by mu; changes made through ferry so far
	running sync.WaitGroup       // flights
}

// point is what the remote said of a single name.
type point struct {
	entry  remote.Entry
	exists bool
	at     time.Time
}

// maxPoints and maxPointName bound the memory of single lookups. When they are that many, all are forgotten; a name of more
// bytes is not remembered.
const (
	maxPoints    = 10_000
	maxPointName = 1024
)

// listing is a directory as it was listed. base is never changed, so that those who read it need no lock.
type listing struct {
	dir     string
	base    []remote.Entry           // sorted by name; parts come behind the file of their name
	changed map[string]*remote.Entry // guarded by dirCache.mu; what ferry did since, nil = removed
	at      time.Time                // when the listing began; the zero time = expired by hand
	newest  time.Time                // guarded by dirCache.mu; known of what is below dir
	place   *list.Element            // in dirCache.recent
	weight  int                      // of the directory and base
}

func newDirCache(r remote.Remote, reach *reach, o Options) *dirCache {
	caps := r.Info().Caps
	return &dirCache{
		remote:   r,
		reach:    reach,
		log:      logOf(o),
		live:     caps.Live || o.DirCacheTime <= 0,
		fold:     caps.CaseInsensitive,
		implicit: caps.ImplicitDirs,
		fresh:    o.DirCacheTime,
		missing:  min(o.DirCacheTime, missingTime),
		wait:     o.DirRefreshWait,
		capacity: cmpOr(o.DirCacheEntries, defaultDirEntries),
		dirs:     map[string]*listing{},
		points:   map[string]point{},
		flights:  map[string]*flight{},
		flying:   map[*flight]struct{}{},
	}
}

const (
	missingTime       = 2 * time.Second
	defaultDirEntries = 500_000
)

func cmpOr[T cmp.Ordered](n, or T) T {
	var none T
	if n > none {
		return n
	}
	return or
}

// Stat describes name, from what is remembered or by asking the remote for this name only.
func (c *dirCache) Stat(ctx context.Context, name string) (remote.Entry, error) {
	return c.stat(ctx, name, !mayWait(ctx))
}

// statSoon is Stat for who can go without an answer: it fails when there is none soon.
func (c *dirCache) statSoon(ctx context.Context, name string) (remote.Entry, error) {
	return c.stat(ctx, name, true)
}

func (c *dirCache) stat(ctx context.Context, name string, soon bool) (remote.Entry, error) {
	if c.live {
		return c.remote.Stat(ctx, name)
	}
	e, known, changes := c.recall(name)
	switch {
	case known == knownFresh:
		return e, nil
	case known == knownMissing:
		return remote.Entry{}, &fs.PathError{Op: "stat", Path: name, Err: remote.ErrNotExist}
	case known == knownNothing && !soon:
		asked, err := c.remote.Stat(ctx, name)
		c.reach.heard(ctx, err)
		return c.learnt(name, asked, err, changes)
	}
	var asked remote.Entry
	err := c.reach.ask(ctx, func(ctx context.Context) (err error) {
		asked, err = c.remote.Stat(ctx, name)
		return err
	})
	if known == knownStale && err != nil && !errors.Is(err, remote.ErrNotExist) && ctx.Err() == nil {
		c.inVain(ctx, "the remote does not answer; showing what was known", name, err)
		return e, nil
	}
	return c.learnt(name, asked, err, changes)
}

// learnt remembers what the remote has said of name, and returns it.
func (c *dirCache) learnt(name string, e remote.Entry, err error, changes uint64) (remote.Entry, error) {
	switch {
	case err == nil:
		c.learn(name, point{entry: e, exists: true, at: time.Now()}, changes)
	case errors.Is(err, remote.ErrNotExist):
		c.learn(name, point{at: time.Now()}, changes)
	}
	return e, err
}

// inVain logs that something old is shown, unless that was said a moment ago.
func (c *dirCache) inVain(ctx context.Context, what, name string, err error, more ...slog.Attr) {
	level := slog.LevelWarn
	if err == errAway {
		level = slog.LevelDebug
	}
	c.log.LogAttrs(ctx, level, what, append([]slog.Attr{slog.String("path", name), slog.Any("error", err)}, more...)...)
}

// knowledge is what recall finds.
type knowledge uint8

const (
	knownNothing knowledge = iota
	knownFresh
	knownMissing
	knownStale // it has expired, and is better than nothing
)

// recall looks name up. changes is for learn.
func (c *dirCache) recall(name string) (e remote.Entry, k knowledge, changes uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	dir, base := remote.Split(name)
	if l := c.dirs[dir]; l != nil && name != "." {
		e, found := l.lookup(base)
		switch isFresh := now.Sub(l.at) < c.fresh; {
		case isFresh && found:
			c.recent.MoveToFront(l.place)
			return e, knownFresh, c.changes
		case isFresh && !c.fold:
			return e, knownMissing, c.changes
		case found:
			k = knownStale
		}
		if k == knownStale {
			if p, ok := c.points[name]; !ok || !p.exists {
				return e, k, c.changes
			}
		}
	}
	p, ok := c.points[name]
	switch age := now.Sub(p.at); {
	case !ok:
		return e, knownNothing, c.changes
	case p.exists && age < c.fresh:
		return p.entry, knownFresh, c.changes
	case p.exists:
		return p.entry, knownStale, c.changes
	case age < c.missing:
		return e, knownMissing, c.changes
	}
	return e, knownNothing, c.changes
}

// learn remembers an answer of the remote, unless something was changed while it was on its way.
func (c *dirCache) learn(name string, p point, changes uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changes != changes || len(name)+len(p.entry.Name)+len(p.entry.Version) > maxPointName {
		return
	}
	if len(c.points) >= maxPoints {
		clear(c.points)
	}
	c.points[name] = p
}

// lookup finds a file or directory; parts are not names.
// LOCKS_REQUIRED(dirCache.mu)
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

// List yields the entries of dir: from a fresh listing, else from the remote as they come. One listing of a directory
// is under way at a time, shared by all who ask.
func (c *dirCache) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	if c.live {
		return c.remote.List(ctx, dir)
	}
	return func(yield func(remote.Entry, error) bool) {
		old, isFresh := c.listed(dir)
		if isFresh {
			old.yield(yield)
			return
		}
		if old != nil && !c.reach.worthAsking() {
			c.showOld(ctx, dir, old, errAway, yield)
			return
		}
		if !mayWait(ctx) && !c.reach.worthAsking() {
			yield(remote.Entry{}, &fs.PathError{Op: "list", Path: dir, Err: errAway})
			return
		}
		f := c.join(ctx, dir)
		defer f.leave()
		if old != nil && c.wait > 0 && !f.finishedWithin(ctx, c.wait) {
			f.goOnAlone()
			old.yield(yield)
			return
		}
		if old != nil {
			err := f.failedWithin(ctx, c.reach.wait)
			if err == errSilent {
				f.goOnAlone()
			}
			if err != nil && ctx.Err() == nil && !isAnswer(err) {
				c.showOld(ctx, dir, old, err, yield)
				return
			}
		}
		f.yield(ctx, yield)
	}
}

// showOld yields a listing that has expired, because err kept the remote from giving a new one.
func (c *dirCache) showOld(ctx context.Context, dir string, old *snapshot, err error, yield func(remote.Entry, error) bool) {
	if err != errAway {
		c.reach.heard(ctx, err)
	}
	c.inVain(ctx, "the remote does not answer; showing an old listing", dir, err, slog.Duration("age", time.Since(old.at)))
	old.yield(yield)
}

// isAnswer tells an error by which the remote says what is, from one that says nothing about it.
func isAnswer(err error) bool {
	return errors.Is(err, remote.ErrNotExist) || errors.Is(err, remote.ErrNotDir) || errors.Is(err, remote.ErrPermission) ||
		errors.Is(err, remote.ErrBadName) || errors.Is(err, remote.ErrInvalid)
}

// snapshot is a listing that is not changed any more.
type snapshot struct {
	base    []remote.Entry
	changed map[string]*remote.Entry
	at      time.Time
}

// listed returns what is remembered of dir, nil when that is nothing, and whether it is fresh.
func (c *dirCache) listed(dir string) (s *snapshot, isFresh bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.dirs[dir]
	if l == nil {
		return nil, false
	}
	c.recent.MoveToFront(l.place)
	return &snapshot{l.base, maps.Clone(l.changed), l.at}, time.Since(l.at) < c.fresh
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

// store remembers a whole listing of dir, which began at the time at, unless it is larger than everything there is room
// for. Directories that were not used for longest make room.
// LOCKS_REQUIRED(c.mu)
func (c *dirCache) store(dir string, entries []remote.Entry, at time.Time) {
	c.drop(dir)
	weight := weightOfAll(entries)
	if weight > c.capacity {
		return
	}
	sortEntries(entries)
	l := &listing{dir: dir, base: slices.Clip(entries), at: at, weight: 1 + len(dir)/weightBytes + weight}
	l.newest = c.newestIn(dir, entries)
	c.noteTime(dir, l.newest)
	l.place = c.recent.PushFront(l)
	c.dirs[dir] = l
	c.count += 1 + len(entries)
	c.weight += l.weight
	for c.weight > c.capacity && c.recent.Len() > 1 {
		c.drop(c.recent.Back().Value.(*listing).dir)
	}
	for i := range entries {
		delete(c.points, remote.Join(dir, entries[i].Name))
	}
}

// drop forgets the listing of dir.
// LOCKS_REQUIRED(c.mu)
func (c *dirCache) drop(dir string) {
	if l := c.dirs[dir]; l != nil {
		c.recent.Remove(l.place)
		c.count -= 1 + len(l.base)
		c.weight -= l.weight
		delete(c.dirs, dir)
	}
}

// weightBytes is up to how many bytes of names an entry weighs 1. Names of files on disks are shorter, but a remote may call
// its files what it likes.
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
