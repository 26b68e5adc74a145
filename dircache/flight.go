package dircache

import (
	"context"
	"strings"
	"sync"
	"time"

	"ferry/breaker"
	"ferry/remote"
)

// flight is a listing under way. It runs beside those who read it and ends when nobody does any
// more. Everything it has found is kept for readers that join later, until that is more than the
// cache can hold; then only what somebody still has to read is kept, and the listing waits for the
// slowest.
type flight struct {
	// constant
	cache  *Tree
	dir    string
	began  time.Time
	cancel context.CancelFunc

	mu       sync.Mutex
	entries  []remote.Entry       // guarded by mu; found so far, without the first skipped
	skipped  int                  // guarded by mu; how many have been let go
	weight   int                  // guarded by mu; of all that were found, see weightOf
	ahead    int                  // guarded by mu; weight of entries
	finished bool                 // guarded by mu
	err      error                // guarded by mu; how it finished
	readers  map[*reader]struct{} // guarded by mu
	alone    bool                 // guarded by mu; it goes on without readers
	givenUp  bool                 // guarded by mu; the last reader has left
	moved    chan struct{}        // guarded by mu; closed when any of this changes, if somebody waits
	waiting  bool                 // guarded by mu; somebody waits for moved
}

// reader is one of those who read a flight.
type reader struct {
	*flight
	next int // guarded by flight.mu; the entry to read next, counted from the first
}

// flightWindow is the weight of what a flight that is too large to be kept runs ahead of its
// slowest reader.
const flightWindow = 4096

// join begins to read a listing of dir: the one under way, else a new one.
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
		cache: t, dir: dir, began: time.Now(), cancel: cancel,
		readers: map[*reader]struct{}{}, moved: make(chan struct{}),
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

// reader adds one, or returns nil when it is too late: the beginning has been let go, or the
// listing given up.
func (f *flight) reader() *reader {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.skipped > 0 || f.givenUp {
		return nil
	}
	r := &reader{flight: f}
	f.readers[r] = struct{}{}
	return r
}

// run lists the directory and hands the result to the cache. A listing that goes on alone is given
// up like any other when the remote gives no sign of life.
func (f *flight) run(ctx context.Context) {
	ctx, w := f.cache.breaker.Guard(ctx, breaker.ForLongQuery())
	err := f.list(ctx, w)
	f.cache.breaker.Report(ctx, err)
	w.End(&err)
	f.cache.landed(f, err)
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

// add notes an entry. It waits while a listing that cannot be kept is too far ahead.
func (f *flight) add(ctx context.Context, e remote.Entry) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.weight >= f.cache.capacity && !f.trim() {
		if err := f.wait(ctx); err != nil {
			return err
		}
	}
	// What they are parts of, a line or a page, is not to be kept with them.
	e.Name, e.Version = strings.Clone(e.Name), strings.Clone(e.Version)
	weight := weightOf(&e)
	f.weight += weight
	f.ahead += weight
	f.entries = append(f.entries, e)
	f.signal()
	return nil
}

// trim lets go of what everybody has read, and reports whether there is room for another entry.
// LOCKS_REQUIRED(f.mu)
func (f *flight) trim() bool {
	slowest := f.skipped + len(f.entries)
	for r := range f.readers {
		slowest = min(slowest, r.next)
	}
	if n := slowest - f.skipped; n > 0 && n >= len(f.entries)/2 {
		f.ahead -= weightOfAll(f.entries[:n])
		f.entries = append([]remote.Entry(nil), f.entries[n:]...)
		f.skipped += n
	}
	return f.ahead < flightWindow
}

// signal wakes those who wait.
// LOCKS_REQUIRED(f.mu)
func (f *flight) signal() {
	if f.waiting {
		close(f.moved)
		f.moved, f.waiting = make(chan struct{}), false
	}
}

// wait releases the lock until something changes or ctx ends.
// LOCKS_REQUIRED(f.mu)
func (f *flight) wait(ctx context.Context) error {
	f.waiting = true
	moved := f.moved
	f.mu.Unlock()
	defer f.mu.Lock()
	select {
	case <-moved:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// landed ends a flight. A listing that came to its end is remembered, unless ferry changed the
// directory meanwhile.
func (t *Tree) landed(f *flight, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.finished, f.err = true, err
	f.signal()
	delete(t.flying, f)
	if t.flights[f.dir] != f {
		return // the directory was changed, or forgotten, and somebody else lists it now
	}
	delete(t.flights, f.dir)
	switch {
	case err == nil && f.skipped == 0:
		t.store(f.dir, append([]remote.Entry(nil), f.entries...), f.began)
	case err != nil && breaker.IsAnswer(err):
		t.drop(f.dir)
	}
}

// leave ends the reading. A listing that nobody reads is not worth its requests.
func (r *reader) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.readers, r)
	if len(r.readers) == 0 && !r.alone {
		r.givenUp = true
		r.cancel()
	}
	r.signal()
}

// goOnAlone lets the listing run to its end without readers.
func (r *reader) goOnAlone() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.alone = true
	delete(r.readers, r)
	r.signal()
}

// yield passes on the entries from the first to the last.
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

// more waits for entries and returns them; none without an error is the end.
func (r *reader) more(ctx context.Context) ([]remote.Entry, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		if entries := r.entries[r.next-r.skipped:]; len(entries) > 0 {
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

// finishedWithin waits for the end of the listing, but not longer than d.
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

// failedWithin waits for the first entry or the end, and returns the error of a listing that ended
// without an entry, or breaker.ErrSilent after d.
func (r *reader) failedWithin(ctx context.Context, d time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, d, breaker.ErrSilent)
	defer cancel()
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.entries) == 0 && r.skipped == 0 && !r.finished {
		if err := r.wait(ctx); err != nil {
			return err
		}
	}
	if len(r.entries) == 0 && r.skipped == 0 {
		return r.err
	}
	return nil
}
