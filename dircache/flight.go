package dircache

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"ferry/breaker"
	"ferry/remote"
)

// A flight is a listing in progress, shared by its readers. It runs in a goroutine of its own, and
// is cancelled when the last reader leaves. All entries found are kept for readers that join later,
// until they exceed the capacity of the cache. Then only entries that a reader has yet to read are
// kept, and the flight waits for the slowest reader.
type flight struct {
	// constant
	cache  *Tree
	dir    string
	began  time.Time
	after  uint64 // how many changes were made before it
	cancel context.CancelFunc

	mu         sync.Mutex
	entries    []remote.Entry       // guarded by mu; found so far, without the first trimmed
	trimmed    int                  // guarded by mu; number of entries that were released
	weight     int                  // guarded by mu; of all entries found, see weightOf
	buffered   int                  // guarded by mu; weight of entries
	finished   bool                 // guarded by mu
	err        error                // guarded by mu; once finished
	readers    map[*reader]struct{} // guarded by mu
	detached   bool                 // guarded by mu; it continues without readers
	abandoned  bool                 // guarded by mu; the last reader has left, and it is cancelled
	incomplete bool                 // guarded by mu; it lacks what part of the remote may have
	updated    chan struct{}        // guarded by mu; closed when any of this changes, if hasWaiters
	hasWaiters bool                 // guarded by mu; a goroutine waits for updated
}

// A reader reads the entries of a flight from the first.
type reader struct {
	*flight
	next int // guarded by flight.mu; index of the entry to read next
}

// flightWindow is the weight of entries by which a flight too large for the cache may be ahead of
// its slowest reader.
const flightWindow = 4096

// join returns a new reader of the flight of dir, which it starts if there is none.
func (t *Tree) join(ctx context.Context, dir string) *reader {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f := t.flights[dir]; f != nil {
		if r := f.reader(); r != nil {
			return r
		}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &flight{
		cache: t, dir: dir, began: time.Now(), after: t.changes, cancel: cancel,
		readers: map[*reader]struct{}{}, updated: make(chan struct{}),
	}
	r := f.reader()
	t.flights[dir] = f
	t.flying[f] = struct{}{}
	t.running.Add(1)
	go func() {
		defer t.running.Done()
		defer cancel()
		f.run(ctx)
	}()
	return r
}

// reader adds a reader. It returns nil if it is too late: the first entries were released, or the
// flight was abandoned.
func (f *flight) reader() *reader {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.trimmed > 0 || f.abandoned {
		return nil
	}
	r := &reader{flight: f}
	f.readers[r] = struct{}{}
	return r
}

// run lists the directory and passes the result to the cache. A detached flight too is cancelled
// when the remote gives no sign of life.
func (f *flight) run(ctx context.Context) {
	ctx, w := f.cache.breaker.Guard(ctx, breaker.ForLongQuery())
	ctx = remote.WithIncomplete(ctx, f.lacks)
	err := f.list(ctx, w)
	f.cache.breaker.Report(ctx, err)
	w.End(&err)
	f.cache.finish(f, err)
}

func (f *flight) list(ctx context.Context, w *breaker.Watchdog) error {
	for e, err := range f.cache.Remote.List(ctx, f.dir) {
		if err != nil {
			return err
		}
		w.Pause()
		err = f.add(ctx, e)
		w.Resume()
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// add appends an entry. If the listing is too large for the cache, it waits while the flight is too
// far ahead of its readers.
func (f *flight) add(ctx context.Context, e remote.Entry) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.weight >= f.cache.capacity && !f.trim() {
		if err := f.wait(ctx); err != nil {
			return err
		}
	}
	// Cloned, so as not to keep the line or page that they are substrings of.
	e.Name, e.Version = strings.Clone(e.Name), strings.Clone(e.Version)
	weight := weightOf(&e)
	f.weight += weight
	f.buffered += weight
	f.entries = append(f.entries, e)
	f.signal()
	return nil
}

// trim releases the entries that all readers have read, and reports whether there is room for
// another entry.
// LOCKS_REQUIRED(f.mu)
func (f *flight) trim() bool {
	slowest := f.trimmed + len(f.entries)
	for r := range f.readers {
		slowest = min(slowest, r.next)
	}
	if n := slowest - f.trimmed; n > 0 && n >= len(f.entries)/2 {
		f.buffered -= weightOfAll(f.entries[:n])
		f.entries = append([]remote.Entry(nil), f.entries[n:]...)
		f.trimmed += n
	}
	return f.buffered < flightWindow
}

// signal wakes the waiters.
// LOCKS_REQUIRED(f.mu)
func (f *flight) signal() {
	if f.hasWaiters {
		close(f.updated)
		f.updated, f.hasWaiters = make(chan struct{}), false
	}
}

// wait releases the lock until something changes or ctx ends.
// LOCKS_REQUIRED(f.mu)
func (f *flight) wait(ctx context.Context) error {
	f.hasWaiters = true
	updated := f.updated
	f.mu.Unlock()
	defer f.mu.Lock()
	select {
	case <-updated:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// lacks records that the listing is incomplete.
func (f *flight) lacks() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.incomplete = true
}

// finish ends a flight. A complete listing is cached, unless the directory was changed through
// ferry meanwhile.
func (t *Tree) finish(f *flight, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.finished, f.err = true, err
	f.signal()
	delete(t.flying, f)
	if t.flights[f.dir] != f {
		return // the directory was changed or dropped meanwhile; there may be another flight of it
	}
	delete(t.flights, f.dir)
	switch {
	case err == nil && f.incomplete: // what it lacks is asked for by itself
	case err == nil && f.trimmed == 0:
		t.store(f.dir, append([]remote.Entry(nil), f.entries...), f.began)
	case err != nil && breaker.IsAnswer(err):
		t.dropListing(f.dir)
		t.rememberNoDir(f, err)
	}
}

// rememberNoDir caches what the failure of a listing says of its name. Of a name that does not
// exist that is only done where looking costs as much as listing.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) rememberNoDir(f *flight, err error) {
	var file *remote.FileError
	switch {
	case errors.As(err, &file):
		t.cacheName(f.dir, nameEntry{entry: file.Entry, exists: true, at: f.began}, f.after)
	case t.implicit && errors.Is(err, remote.ErrNotExist):
		t.cacheName(f.dir, nameEntry{at: f.began}, f.after)
	}
}

// leave removes the reader. A flight without readers is not worth its requests, and is cancelled.
func (r *reader) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.readers, r)
	if len(r.readers) == 0 && !r.detached {
		r.abandoned = true
		r.cancel()
	}
	r.signal()
}

// detach removes the reader, and lets the flight run to its end without readers.
func (r *reader) detach() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.detached = true
	delete(r.readers, r)
	r.signal()
}

// yield passes all entries to yield, in order.
func (r *reader) yield(ctx context.Context, yield func(remote.Entry, error) bool) {
	for {
		entries, err := r.more(ctx)
		for i := range entries {
			if !yield(entries[i], nil) {
				return
			}
		}
		if err != nil {
			yield(remote.Entry{}, err)
			return
		}
		if len(entries) == 0 {
			return
		}
	}
}

// more waits for further entries and returns them; no entries and no error mean the end.
func (r *reader) more(ctx context.Context) ([]remote.Entry, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		if entries := r.entries[r.next-r.trimmed:]; len(entries) > 0 {
			r.next += len(entries)
			r.signal()
			return entries, nil
		}
		if r.finished {
			return nil, r.err
		}
		if err := r.wait(ctx); err != nil {
			return nil, err
		}
	}
}

// finishedWithin waits for the end of the listing, d at most, and reports whether it came.
func (r *reader) finishedWithin(ctx context.Context, d time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	r.mu.Lock()
	defer r.mu.Unlock()
	for !r.finished {
		if r.wait(ctx) != nil {
			return false
		}
	}
	return true
}

// failedWithin waits for the first entry or the end. It returns the error of a listing that ended
// without an entry, or breaker.ErrSilent after d.
func (r *reader) failedWithin(ctx context.Context, d time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, d, breaker.ErrSilent)
	defer cancel()
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.entries) == 0 && r.trimmed == 0 && !r.finished {
		if err := r.wait(ctx); err != nil {
			return err
		}
	}
	if len(r.entries) == 0 && r.trimmed == 0 {
		return r.err
	}
	return nil
}
