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

// change is a pending change: one record of the cache as the Tree sees it. What alters it makes a
// new change of it, and the old one is dead. Tree.mu guards everything in it that varies; rec stays
// as it was made, but for its ModTime, and for its Removes when it is applied.
type change struct {
	rec   cache.Record
	mode  fs.FileMode // permission bits of the file that it replaces; 0 = unknown
	after uint64      // a Seq that it comes after, whatever its own: see pending.order
	begun bool        // the remote may have seen something of it
	from  *change     // of a file that is to be renamed, the one that is to rename it to where it is taken from; nil = none
	first time.Time   // when the oldest change that it stands for was made

	dead    bool          // it says nothing any more
	refused bool          // its record stands in lost/: it is only shown, and stands in nobody's way
	ending  bool          // its run is past the point where it could be called back
	pinned  chan struct{} // closed when a change of it is done; nil = none is under way
	run     *run          // what applies it just now
	gone    chan struct{} // closed when it does not wait any more
	next    *change       // what took its place, once gone is closed; nil = nothing
	stored  remote.Entry  // what its runs have left on the remote, if sent
	err     error         // why the remote refused it for good, once gone is closed

	due       time.Time
	urgent    bool // somebody waits for it
	place     int  // in the queue; below 0 = not in it
	tries     int  // attempts that failed
	wholes    int  // of these, those that failed when a large content had been sent as a whole
	delay     time.Duration
	failed    error         // how the last attempt failed
	cause     *cause        // what that was; nil = none has failed
	tried     chan struct{} // closed when an attempt fails
	blockedBy *change       // what it waits for
	waiting   []*change     // what waits for it

	// applied is closed when everything it wants has been done once. From then on it is only looked
	// at again, because the remote may still get an older request (isApplied; see recheck), until
	// that cannot be, or until released.
	applied   chan struct{}
	isApplied bool
	released  bool
	checks    int // how often it was looked at again

	sent     bool      // the content is on the remote
	sentTime time.Time // the modification time that it was sent with
	factsOf  string    // rec.FactsOf; once the file was sent, its own name in the place of another
	unsure   bool      // the record is perhaps not forgotten yet; used by its runs only
	stale    []string  // records that it stands for and that could not be dropped yet
}

// run is an attempt that is under way.
type run struct {
	cancel context.CancelCauseFunc
}

func newChange(rec cache.Record, due time.Time) *change {
	return &change{
		rec: rec, first: rec.Committed, begun: rec.Recovered, due: due, place: -1,
		factsOf: rec.FactsOf, gone: make(chan struct{}), tried: make(chan struct{}), applied: make(chan struct{}),
	}
}

// recoveredChange is newChange for a record that an earlier process has left. The clock may have
// been ahead when that was made: it is due within writeBack from now in any case.
func (v *Tree) recoveredChange(rec cache.Record) *change {
	now := time.Now()
	age := max(now.Round(0).Sub(rec.Committed), 0)
	c := newChange(rec, now.Add(v.writeBack-age))
	c.first = now.Add(-age)
	return c
}

// bytes is how much content waits with it.
func (c *change) bytes() int64 {
	if c.rec.Kind == cache.File {
		return c.rec.Size
	}
	return 0
}

// base is what the remote has under the name of c, for a change that takes its place.
func (c *change) base() (cache.Base, string) {
	if c.begun {
		return cache.BaseUnknown, ""
	}
	return c.rec.Base, c.rec.BaseVersion
}

// conflicting returns a change that has to be out of the way before c can be applied, nil where
// there is none: one that precedes it and is not applied, or one that is being applied, that
// touches the same path, one above it or one below it.
func (p *pending) conflicting(c *change) *change {
	for other := range p.touching(p.names(c)...) {
		if other != c && (other.run != nil || !other.dead && !other.refused && !other.isApplied && other.precedes(c)) {
			return other
		}
	}
	return nil
}

// precedes reports whether c is applied before other where their paths meet: the older one is,
// unless order has found another place. Of directories that come after the same change, the lower
// one is removed first.
func (c *change) precedes(other *change) bool {
	if c.rec.Seq == other.rec.Seq { // a rename that was made, and the removal that it has left under its old name
		return c.rec.Kind == cache.Removed && other.rec.Kind == cache.Moved
	}
	return cmp.Or(
		cmp.Compare(max(c.rec.Seq, c.after), max(other.rec.Seq, other.after)),
		cmp.Compare(c.after, other.after), // that one itself goes before them
		cmp.Compare(len(other.rec.Name), len(c.rec.Name)),
	) < 0
}

// order finds the place of c, which is new, among the removals of directories, and returns those
// that come later than before. A directory was empty when it was removed here, but a change that is
// newer may have taken over the removal of a file in it: the file goes first.
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

// lastRemoval returns the greatest Seq of what removes something below n, 0 where nothing does.
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

// touching yields the changes that touch one of names, or something above or below it; some come
// more than once.
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

// inherited returns the names that what takes the place of c has to remove: those of which c is
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
