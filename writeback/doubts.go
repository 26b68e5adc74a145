package writeback

import (
	"context"
	"log/slog"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"ferry/breaker"
	"ferry/cache"
	"ferry/remote"
)

// A change that was sent to the remote and not answered is in doubt: it may have been made or not,
// or may be made later, when the network delivers a delayed request. That would undo later changes
// of the same name. So later changes of a name in doubt are rechecked (see recheck), and changes
// that cannot be repeated are delayed for a while.

const (
	// doubtWindow is how long the remote is rechecked after a lost answer. A request that the
	// network delivers later than that goes unnoticed.
	doubtWindow = 5 * time.Minute
	// doubtPause is how long a change that cannot be repeated is delayed after the loss of the
	// answer to an earlier one.
	doubtPause = 10 * time.Second
)

// doubts are the changes in doubt. With a cache they survive the process.
type doubts struct {
	// constant
	store *cache.Store // nil = doubts do not survive the process
	keyOf func(string) string
	log   *slog.Logger

	mu   sync.Mutex
	open []*doubt // guarded by mu; the oldest first
}

// A doubt is one change in doubt.
type doubt struct {
	id    string // of its note in the store; "" = none
	names []string
	keys  []string // of names
	seq   uint64   // of its record; 0 = none
	since time.Time
}

func newDoubts(store *cache.Store, keyOf func(string) string, log *slog.Logger) *doubts {
	d := &doubts{store: store, keyOf: keyOf, log: log}
	if store == nil {
		return d
	}
	now := time.Now()
	for _, found := range store.Doubts() {
		d.open = append(d.open, &doubt{
			id: found.ID, names: found.Names, keys: d.keys(found.Names), seq: found.Seq, since: now,
		})
	}
	return d
}

func (d *doubts) keys(names []string) []string {
	keys := make([]string, len(names))
	for i, name := range names {
		keys[i] = d.keyOf(name)
	}
	return keys
}

// expire drops the doubts that are over.
// LOCKS_REQUIRED(d.mu)
func (d *doubts) expire() {
	over := 0
	for over < len(d.open) && time.Since(d.open[over].since) >= doubtWindow {
		if id := d.open[over].id; id != "" {
			if err := d.store.ForgetDoubt(id); err != nil {
				d.log.Warn("a note of a request cannot be removed", "error", err)
			}
		}
		over++
	}
	d.open = slices.Delete(d.open, 0, over)
}

// about returns until when names are in doubt because of changes other than that of the record seq,
// or the zero time if they are not.
func (d *doubts) about(seq uint64, names ...string) (until time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.open) == 0 {
		return until
	}
	d.expire()
	keys := d.keys(names)
	for _, doubt := range d.open {
		if doubt.seq != seq || seq == 0 {
			if slices.ContainsFunc(keys, doubt.concerns) {
				until = doubt.since.Add(doubtWindow)
			}
		}
	}
	return until
}

// within returns the names in doubt at or below name, and until when they are.
func (d *doubts) within(name string) (names []string, until time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.expire()
	key := d.keyOf(name)
	for _, doubt := range d.open {
		for i, mine := range doubt.keys {
			if mine == key || remote.Below(mine, key) {
				names = append(names, doubt.names[i])
				until = doubt.since.Add(doubtWindow)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), until
}

// otherNames returns the names that the file called name may have because of a change in doubt: one
// that also concerns name, or directories above both.
func (d *doubts) otherNames(name string) (names []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.expire()
	key := d.keyOf(name)
	for _, doubt := range d.open {
		for i, mine := range doubt.keys {
			if mine != key && !remote.Below(key, mine) {
				continue
			}
			below := strings.Join(slices.Collect(elements(name))[strings.Count(mine, "/")+1:], "/")
			for j, other := range doubt.names {
				if j != i {
					names = append(names, path.Join(other, below))
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// concerns reports whether the request may still change key: it was about key, or about a directory
// above it, which may be renamed with everything in it.
func (d *doubt) concerns(key string) bool {
	return slices.ContainsFunc(d.keys, func(mine string) bool { return mine == key || remote.Below(key, mine) })
}

// touches reports whether the doubt concerns one of keys, or a path below one.
func (d *doubt) touches(keys []string) bool {
	return slices.ContainsFunc(keys, func(key string) bool {
		return d.concerns(key) || slices.ContainsFunc(d.keys, func(mine string) bool { return remote.Below(mine, key) })
	})
}

// await waits until doubtPause is over for names and everything below them, or ctx ends.
func (d *doubts) await(ctx context.Context, names ...string) error {
	w := breaker.WatchdogOf(ctx) // this is not waiting for the remote
	for {
		pause := d.pause(names)
		if pause <= 0 {
			return nil
		}
		w.Pause()
		defer w.Resume()
		if err := remote.Sleep(ctx, pause); err != nil {
			return err
		}
	}
}

func (d *doubts) pause(names []string) (pause time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.open) == 0 {
		return 0
	}
	keys := d.keys(names)
	for _, doubt := range d.open {
		if doubt.touches(keys) {
			pause = max(pause, doubtPause-time.Since(doubt.since))
		}
	}
	return pause
}

// mayTake reports whether a change in doubt may still, within doubtPause, remove, replace or rename
// the file name, or a directory above it. A renamed file may be replaced under its other name
// before it is found there.
func (d *doubts) mayTake(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.expire()
	key := d.keyOf(name)
	return slices.ContainsFunc(d.open, func(doubt *doubt) bool {
		return doubt.concerns(key) && time.Since(doubt.since) < doubtPause
	})
}

// A request is one call of the remote that makes a change, and tracks whether it is in doubt.
type request struct {
	d     *doubts
	seq   uint64
	names []string

	mu    sync.Mutex
	note  *cache.Request // guarded by mu; nil = none
	doubt *doubt         // guarded by mu; nil = everything was answered so far
}

// request prepares a call that changes names, for the record seq or for none (0).
func (d *doubts) request(seq uint64, names ...string) *request {
	return &request{d: d, seq: seq, names: names}
}

// watch returns the context for the call. Who watches ctx is told as well.
func (r *request) watch(ctx context.Context) context.Context {
	return remote.WithUnanswered(ctx, func() {
		r.unanswered()
		remote.Unanswered(ctx)
	})
}

// inDoubt reports whether it was sent and not answered so far.
func (r *request) inDoubt() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.doubt != nil
}

// begin records that the call is about to be made.
func (r *request) begin() *request {
	if r.d.store == nil {
		return r
	}
	note, err := r.d.store.NoteRequest(r.seq, r.names...)
	if err != nil { // a full cache must still be able to send its content
		r.d.log.Warn("a request to the remote cannot be noted in the cache", "path", r.names[0], "error", err)
		return r
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.note = note
	return r
}

// unanswered puts the names in doubt. Each call restarts the doubt.
func (r *request) unanswered() {
	r.mu.Lock()
	defer r.mu.Unlock()
	first := r.doubt == nil
	next := &doubt{names: r.names, keys: r.d.keys(r.names), seq: r.seq, since: time.Now()}
	if first && r.note != nil {
		found, err := r.note.Unanswered()
		if err != nil {
			r.d.log.Warn("a note of a request cannot be written", "path", r.names[0], "error", err)
		}
		next.id = found.ID
		r.note = nil
	}
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	if !first {
		next.id = r.doubt.id
		r.d.open = slices.DeleteFunc(r.d.open, func(other *doubt) bool { return other == r.doubt })
	}
	r.doubt = next
	r.d.open = append(r.d.open, next)
}

// end records that the call has returned.
func (r *request) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.note == nil {
		return
	}
	if err := r.note.Answered(); err != nil {
		r.d.log.Warn("a note of a request cannot be removed", "path", r.names[0], "error", err)
	}
	r.note = nil
}

// ask makes a call that changes names and cannot be repeated.
func (d *doubts) ask(ctx context.Context, call func(ctx context.Context) error, names ...string) error {
	if err := d.await(ctx, names...); err != nil {
		return err
	}
	r := d.request(0, names...).begin()
	defer r.end()
	return call(r.watch(ctx))
}

func (v *Tree) logUndone(ctx context.Context, name string) {
	v.log.LogAttrs(ctx, slog.LevelWarn, "a request whose answer was lost arrived late; what came after it is done again",
		slog.String("path", name))
}
