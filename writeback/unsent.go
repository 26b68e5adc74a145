package writeback

import (
	"time"

	"ferry/cache"
)

// Unsent calls f with each file that was accepted at least age ago and that the remote does not
// have, in no order. It returns when the next file will be that old, zero if there is none yet.
func (v *Tree) Unsent(age time.Duration, f func(name string, size int64, modTime time.Time)) (next time.Time) {
	v.mu.Lock()
	waiting := v.pending.changes.snapshot()
	v.mu.Unlock()
	before := time.Now().Add(-age)
	some := make([]*change, 0, batch)
	flush := func() {
		recs := v.unsentOf(some)
		for i := range recs {
			r := &recs[i]
			switch {
			case !r.first.After(before):
				f(r.Name, r.Size, r.ModTime)
			case next.IsZero() || r.first.Add(age).Before(next):
				next = r.first.Add(age)
			}
		}
		some = some[:0]
	}
	for _, c := range waiting.all() {
		if some = append(some, c); len(some) == batch {
			flush()
		}
	}
	flush()
	return next
}

// An unsent is the record of a file that the remote does not have.
type unsent struct {
	cache.Record
	first time.Time
}

// unsentOf returns those of changes that are files which the remote does not have.
func (v *Tree) unsentOf(changes []*change) []unsent {
	found := make([]unsent, 0, len(changes))
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range changes {
		if c.rec.Kind == cache.File && !c.dead && !c.sent && !c.isApplied {
			rec := c.rec
			rec.ModTime = v.rounded(rec.ModTime)
			found = append(found, unsent{rec, c.first})
		}
	}
	return found
}

// Edits returns a number that is another one after anything has changed of what Unsent tells,
// except by time.
func (v *Tree) Edits() uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.pending.edits
}
