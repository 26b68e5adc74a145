package writeback

import (
	"cmp"
	"context"
	"io/fs"
	"iter"
	"time"

	"ferry/cache"
	"ferry/remote"
)

// A change is a pending change: one record of the cache as the Tree sees it. To alter a change, a
// new one supersedes it, and the old one is dead. Tree.mu guards all mutable fields; rec is
// immutable, except its ModTime, and its Removes when it is applied.
type change struct {
	rec   cache.Record
	mode  fs.FileMode // permission bits of the file that it replaces; 0 = unknown
	after uint64      // a Seq that it follows, whatever its own: see pending.order
	begun bool        // something of it may have reached the remote
	from  *change     // of a pending rename, the pending rename to its source; nil = none
	first time.Time   // when the oldest change that it includes was made

	dead    bool          // it was superseded or retired
	refused bool          // its record is in lost/: it is only shown, and blocks no other
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
	stale    []string  // superseded records that could not be dropped yet
}

// A run is an attempt in progress.
type run struct {
	cancel context.CancelCauseFunc
}

func newChange(rec cache.Record, due time.Time) *change {
	return &change{
		rec: rec, first: rec.Committed, begun: rec.Recovered, due: due, place: -1,
		factsOf: rec.FactsOf, gone: make(chan struct{}), tried: make(chan struct{}), applied: make(chan struct{}),
	}
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

// conflicting returns a change that must be finished before c can be applied, or nil: one that
// touches the same path, one above it or one below it, and either precedes c and is not applied, or
// is being applied.
func (p *pending) conflicting(c *change) *change {
	for other := range p.touching(p.names(c)...) {
		if other != c && (other.run != nil || !other.dead && !other.refused && !other.isApplied && other.precedes(c)) {
			return other
		}
	}
	return nil
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

// order places the new change c among the removals of directories, and returns the removals that
// come later now. A directory was empty when it was removed here, but a newer change may have
// inherited the removal of a file in it: the file goes first.
func (p *pending) order(c *change) (later []*change) {
	if c.rec.Kind == cache.RemovedDir {
		c.after = p.find(c.rec.Name).lastRemoval()
	}
	for name, removes := range p.paths(c) {
		if !removes {
			continue
		}
		for n := p.find(name).parent; n != nil; n = n.parent {
			if t, ok := n.top(); ok && t.change.rec.Kind == cache.RemovedDir && c.rec.Seq > max(t.change.rec.Seq, t.change.after) {
				t.change.after = c.rec.Seq
				later = append(later, t.change)
			}
		}
	}
	return later
}

// lastRemoval returns the greatest Seq of a change that removes something below n, or 0.
func (n *node) lastRemoval() (seq uint64) {
	for _, child := range n.children.all() {
		for _, t := range child.node.touches {
			if !t.change.dead && t.gone() {
				seq = max(seq, t.change.rec.Seq)
			}
		}
		seq = max(seq, child.node.lastRemoval())
	}
	return seq
}

// names returns the paths that c touches.
func (p *pending) names(c *change) []string {
	var names []string
	for name := range p.paths(c) {
		names = append(names, name)
	}
	return names
}

// touching yields the changes that touch one of names, or a path above or below it; some more than
// once.
func (p *pending) touching(names ...string) iter.Seq[*change] {
	return func(yield func(*change) bool) {
		for _, name := range names {
			n := &p.root
			for elem := range elements(name) {
				if n = n.child(p.keyOf(elem)); n == nil {
					break
				}
				if !n.each(yield) {
					return
				}
			}
			if n != nil && !n.eachBelow(yield) {
				return
			}
		}
	}
}

func (n *node) each(yield func(*change) bool) bool {
	for _, t := range n.touches {
		if !yield(t.change) {
			return false
		}
	}
	return true
}

func (n *node) eachBelow(yield func(*change) bool) bool {
	for _, child := range n.children.all() {
		if !child.node.each(yield) || !child.node.eachBelow(yield) {
			return false
		}
	}
	return true
}

// inherited returns the names that a change which supersedes c must remove: those of which c is
// still the newest change. For the others a newer one is responsible.
func (p *pending) inherited(c *change) []string {
	var names []string
	for name, removes := range p.paths(c) {
		if !removes {
			continue
		}
		if t, ok := p.find(name).top(); ok && t.change == c {
			names = append(names, name)
		}
	}
	return names
}
