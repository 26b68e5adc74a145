package logged

import (
	"context"
	"hash/maphash"
	"log/slog"
	"sync"
)

const (
	maxSeen   = 1000 // omissions of one listing that are told apart
	maxWarned = 1000 // directories of which it is known what was said of them
	maxShown  = 300  // bytes of an entry in the log
)

// omissions are what one listing leaves out.
type omissions struct {
	mu     sync.Mutex
	seen   map[string]struct{} // entries, as a listing may be repeated; guarded by mu
	count  int                 // guarded by mu
	first  string              // guarded by mu
	reason string              // of the first; guarded by mu
}

func (o *omissions) add(entry, reason string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	shown := entry[:min(len(entry), maxShown)]
	if _, again := o.seen[shown]; again {
		return
	}
	if o.count == 0 {
		o.seen, o.first, o.reason = map[string]struct{}{}, shown, reason
	}
	if len(o.seen) < maxSeen {
		o.seen[shown] = struct{}{}
	}
	o.count++
}

// warned is what was said last of directories.
type warned struct {
	mu   sync.Mutex
	seed maphash.Seed        // guarded by mu
	dirs map[uint64]struct{} // by what was said; guarded by mu
}

// first reports whether this is said of dir for the first time, as far as that is remembered.
func (w *warned) first(dir, entry string, count int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dirs == nil {
		w.seed = maphash.MakeSeed()
	}
	if w.dirs == nil || len(w.dirs) >= maxWarned {
		w.dirs = map[uint64]struct{}{}
	}
	key := maphash.Comparable(w.seed, struct {
		dir, entry string
		count      int
	}{dir, entry, count})
	_, again := w.dirs[key]
	w.dirs[key] = struct{}{}
	return !again
}

// warnOf logs what a listing of dir left out, once.
func (r *Remote) warnOf(ctx context.Context, dir string, left *omissions) {
	left.mu.Lock()
	defer left.mu.Unlock()
	if left.count == 0 || !r.warned.first(dir, left.first, left.count) {
		return
	}
	r.log.LogAttrs(ctx, slog.LevelWarn, "a listing leaves entries out", slog.String("name", dir), slog.Int("entries", left.count),
		slog.String("first", left.first), slog.String("reason", left.reason))
}
