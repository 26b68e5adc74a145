package budget

import "container/list"

// Who waits is in one of these classes; those of the first are served first.
const (
	grows   = iota // it has begun, and waits for its first part
	idle           // it has nothing
	sends          // it has parts on their way
	classes        // the number of classes
)

// A queue holds *waiter, in the order in which they came.
type queue struct{ list.List }

// A waiter is an upload that waits. All of it is guarded by the mutex of the Budget, but for what
// is read after ready.
type waiter struct {
	upload *Upload // constant
	bytes  int64   // constant; what it is to have collected
	whole  bool    // constant; that is a whole part
	ready  chan struct{}
	err    error // set before ready is closed

	class int
	place *list.Element // nil = in no queue
}

// wait puts w into the queue of its class.
// LOCKS_REQUIRED(w.upload.budget.mu)
func (w *waiter) wait() {
	u := w.upload
	class := idle
	switch {
	case u.sends > 0:
		class = sends
	case u.collects > 0:
		class = grows
	}
	if w.place != nil {
		if class == w.class {
			return
		}
		u.budget.waiting[w.class].Remove(w.place)
	}
	w.class = class
	w.place = u.budget.waiting[class].PushBack(w)
}

// leave takes w out of its queue; the call that waits returns err.
// LOCKS_REQUIRED(w.upload.budget.mu)
func (w *waiter) leave(err error) {
	w.upload.budget.waiting[w.class].Remove(w.place)
	w.upload.waits, w.place, w.err = nil, nil, err
	close(w.ready)
}

// grant gives those who wait what is free, in their order.
// LOCKS_REQUIRED(b.mu)
func (b *Budget) grant() {
	for class := range b.waiting {
		for {
			first := b.waiting[class].Front()
			if first == nil {
				break
			}
			w := first.Value.(*waiter)
			if !b.fits(w) {
				return
			}
			u := w.upload
			b.held.Add(w.bytes - u.collects)
			u.collects = w.bytes
			if w.whole {
				u.whole = true
				b.wholes++
			}
			w.leave(nil)
		}
	}
}

// fits reports whether w can have what it waits for. Where no upload has a whole part, nothing
// would come back: then it can.
// LOCKS_REQUIRED(b.mu)
func (b *Budget) fits(w *waiter) bool {
	more, held := w.bytes-w.upload.collects, b.held.Load()
	return held+more <= b.forUploads() || held == 0 || w.whole && b.wholes == 0
}

// fair returns what each transfer has if all have the same.
func (b *Budget) fair(readers int64) int64 { return b.total / max(readers+b.uploads.Load(), 1) }

// forUploads returns how many bytes all uploads together may hold: what the readers would not use,
// and at least the fair share of each.
// LOCKS_REQUIRED(b.mu)
func (b *Budget) forUploads() int64 {
	readers := b.readers.Load()
	return b.total - min(b.wanted, b.fair(readers)*readers)
}
