package writeback

import (
	"cmp"
	"context"
	"io/fs"
	"time"

	"ferry/cache"
	"ferry/remote"
)

// A change is a pending change: one record of the cache as the Tree sees it. To alter a change, a
// new one supersedes it, and the old one is dead. Tree.mu guards all mutable fields; rec is
// immutable, except its ModTime, and its Removes when it is applied.
type change struct {
	rec   cache.Record
	mode  fs.FileMode            // permission bits of the file that it replaces; 0 = unknown
	after uint64                 // a Seq that it follows, whatever its own: see pending.order
	begun bool                   // something of it may have reached the remote
	taken string                 // the queue of another node that it comes from; "" = it was made here
	over  expectation            // what the remote may have under its name
	left  map[string]expectation // the same of names that it removes, by key, as far as it is known
	own   *ownContent            // its content, as the changes that come after it know it; nil = there are none
	from  *change                // of a pending rename, the pending rename to its source; nil = none
	first time.Time              // when the oldest change that it includes was made

	dead    bool          // it was superseded or retired
	refused bool          // its record is in lost/: it is only shown, and blocks no other
	aside   bool          // the next attempt gives it up
	ending  bool          // its run cannot be cancelled any more
	pinned  chan struct{} // closed by unpin; nil = not pinned
	run     *run          // the attempt in progress; nil = none
	gone    chan struct{} // closed when it is not pending any more
	next    *change       // what superseded it, once gone is closed; nil = nothing
	stored  remote.Entry  // what its runs stored on the remote, if sent
	err     error         // why the remote refused it for good, once gone is closed

	due       time.Time
	urgent    bool // a caller waits for it
	place     int  // in the queue; below 0 = not in it
	tries     int  // failed attempts
	fullSends int  // of tries, those that failed after a large content was sent completely
	delay     time.Duration
	failed    error         // how the last attempt failed
	cause     *cause        // the cause of failed; nil = none has failed
	tried     chan struct{} // closed when an attempt fails
	blockedBy *change       // the change that it waits for
	waiting   []*change     // the changes that wait for it

	// applied is closed when the change has been made once. From then on it is only rechecked,
	// because an older request may still reach the remote (isApplied; see recheck), until that
	// cannot happen any more, or until released.
	applied   chan struct{}
	isApplied bool
	released  bool
	checks    int // number of rechecks

	sent     bool      // the content is on the remote
	sentTime time.Time // modification time that it was sent with
	factsOf  string    // rec.FactsOf; once the file was sent, its own name
	unsure   bool      // the record may still exist; used by its runs only
	told     bool      // that it was stored is recorded
	refusal  error     // why the remote refused it for good, until that is recorded; used by its runs only
	stale    []string  // superseded records that could not be dropped yet
}

// A run is an attempt in progress.
type run struct {
	cancel context.CancelCauseFunc
	slot   *slot // nil: it needs none
}

func newChange(rec cache.Record, due time.Time) *change {
	c := &change{
		rec: rec, first: rec.Committed, begun: rec.Recovered, due: due, place: -1, over: expect(rec),
		factsOf: rec.FactsOf, gone: make(chan struct{}), tried: make(chan struct{}), applied: make(chan struct{}),
	}
	if rec.Recovered {
		c.recall()
	}
	return c
}

// recoveredChange is newChange for a record of an earlier process. The clock may have been ahead
// when it was made: it is due within writeBack from now in any case.
func (v *Tree) recoveredChange(rec cache.Record) *change {
	now := time.Now()
	age := max(now.Round(0).Sub(rec.Committed), 0)
	c := newChange(rec, now.Add(v.writeBack-age))
	c.first = now.Add(-age)
	return c
}

// bytes returns the length of its content.
func (c *change) bytes() int64 {
	if c.rec.Kind == cache.File {
		return c.rec.Size
	}
	return 0
}

// base returns what the remote has under the name of c, for a change that supersedes c.
func (c *change) base() (cache.Base, string) {
	if c.begun {
		return cache.BaseUnknown, ""
	}
	return c.rec.Base, c.rec.BaseVersion
}

// precedes reports whether c is applied before other if their paths conflict: the older one is,
// unless order has moved it. Of directories that follow the same change, the lower one is removed
// first.
func (c *change) precedes(other *change) bool {
	if c.rec.Seq == other.rec.Seq { // an applied rename, and the removal that it left under its old name
		return c.rec.Kind == cache.Removed && other.rec.Kind == cache.Moved
	}
	return cmp.Or(
		cmp.Compare(max(c.rec.Seq, c.after), max(other.rec.Seq, other.after)),
		cmp.Compare(c.after, other.after), // the change that they follow goes first
		cmp.Compare(len(other.rec.Name), len(c.rec.Name)),
	) < 0
}
