package writeback

import (
	"iter"
	"slices"
	"strings"

	"ferry/cache"
	"ferry/remote"
)

// pending holds all pending changes, as a tree of their paths. It does no I/O and has no lock of
// its own: Tree.mu guards it, and every change in it.
//
// A change touches its own name and the names that it removes. The newest change that touches a
// path determines its state; if none does, the remote does.
type pending struct {
	fold    bool // names that differ in case are one
	root    node
	changes trie[*change] // by the ID of the record; without superseded and refused ones
	bytes   int64         // INVARIANT: the sizes of the files among changes
	failed  int           // INVARIANT: number of changes with a failure
	last    error         // the latest of their failures
	edits   uint64        // grows with each change that is made to the above
}

// A state is what a path is, according to the pending changes.
type state uint8

const (
	unknown   state = iota // no pending change touches it: the remote decides
	isFile                 // a pending file
	isMoved                // a file of the remote with a pending rename to this name
	isDir                  // a pending directory, or one with pending changes in it
	isDeleted              // it was removed here, or lies in a directory that was
	underFile              // it lies below a pending file, and so cannot exist
)

func newPending(fold bool) *pending {
	return &pending{fold: fold}
}

// keyOf returns the key by which elements, and names, are compared.
func (p *pending) keyOf(name string) string {
	if p.fold {
		return strings.ToLower(name)
	}
	return name
}

// elements yields the elements of name; the root has none.
func elements(name string) iter.Seq[string] {
	if name == "." {
		return func(func(string) bool) {}
	}
	return strings.SplitSeq(name, "/")
}

// at returns the node of name, and creates it if necessary.
func (p *pending) at(name string) *node {
	n := &p.root
	for elem := range elements(name) {
		k := p.keyOf(elem)
		below := n.child(k)
		if below == nil {
			below = &node{parent: n, key: k, name: elem}
			n.children.set(k, child{node: below, name: elem})
		}
		n = below
	}
	return n
}

// find returns the node of name, or nil.
func (p *pending) find(name string) *node {
	n := &p.root
	for elem := range elements(name) {
		if n = n.child(p.keyOf(elem)); n == nil {
			return nil
		}
	}
	return n
}

// add adds c. It returns the changes that come later because of it.
func (p *pending) add(c *change) (later []*change) {
	p.edits++
	if !c.refused {
		p.changes.set(c.rec.ID, c)
		p.bytes += c.bytes()
	}
	for name, removes := range p.paths(c) {
		n := p.at(name)
		i := len(n.touches)
		for i > 0 && n.touches[i-1].change.rec.Seq > c.rec.Seq {
			i--
		}
		n.touches = slices.Insert(n.touches, i, touch{c, removes})
		if !removes {
			_, n.name = remote.Split(name)
		}
		n.changed()
	}
	return p.order(c)
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

// supersede records that c does not determine the state of its paths any more, because another
// change does or none is pending. While its run is in progress, c still blocks others.
func (p *pending) supersede(c *change) {
	if c.dead {
		return
	}
	c.dead = true
	p.edits++
	if now, _ := p.changes.get(c.rec.ID); now == c {
		p.changes.remove(c.rec.ID)
	}
	if !c.refused {
		p.bytes -= c.bytes()
	}
	p.uncountFailure(c)
	for name := range p.paths(c) {
		p.find(name).changed()
	}
	if c.run == nil {
		p.detach(c)
	}
}

// clearFailure clears the failure of c.
func (p *pending) clearFailure(c *change) {
	if !c.dead {
		p.uncountFailure(c)
	}
	c.failed = nil
}

// fail notifies the callers that wait for c, or for a change blocked by it, that an attempt has
// failed.
func (p *pending) fail(c *change, err error) {
	if !c.dead {
		p.last = err
		if c.failed == nil {
			p.failed++
		}
	}
	c.urgent = false
	c.failed = err
	close(c.tried)
	c.tried = make(chan struct{})
	for _, other := range c.waiting {
		if other.urgent {
			p.fail(other, err)
		}
	}
}

// uncountFailure removes c from the count of failed changes.
func (p *pending) uncountFailure(c *change) {
	if c.failed == nil {
		return
	}
	if p.failed--; p.failed == 0 {
		p.last = nil
	}
}

// detach removes the dead change c from its paths.
func (p *pending) detach(c *change) {
	for name := range p.paths(c) {
		n := p.find(name)
		n.touches = slices.DeleteFunc(n.touches, func(t touch) bool { return t.change == c })
		n.prune()
	}
}

// dropRemovals limits c to its own name.
func (p *pending) dropRemovals(c *change) {
	for name, removes := range p.paths(c) {
		if !removes {
			continue
		}
		n := p.find(name)
		n.touches = slices.DeleteFunc(n.touches, func(t touch) bool { return t.change == c })
		n.changed()
		n.prune()
	}
	c.rec.Removes = nil
}

// paths yields the paths that c touches, and for each whether c removes it.
func (p *pending) paths(c *change) iter.Seq2[string, bool] {
	return func(yield func(string, bool) bool) {
		if !yield(c.rec.Name, false) {
			return
		}
		for _, name := range c.rec.Removes {
			if p.keyOf(name) != p.keyOf(c.rec.Name) && !yield(name, true) {
				return
			}
		}
	}
}

// look returns the state of name, and the change that determines it, nil for a directory that
// exists because of pending changes in it.
func (p *pending) look(name string) (state, *change) {
	n := &p.root
	gone := false
	for elem := range elements(name) {
		if t, ok := n.top(); ok {
			switch {
			case t.gone():
				gone = true
			case t.change.rec.Kind == cache.File, t.change.rec.Kind == cache.Moved:
				return underFile, t.change
			}
		}
		if n = n.child(p.keyOf(elem)); n == nil {
			break
		}
	}
	if n != nil {
		if st, c := n.state(); st != unknown {
			return st, c
		}
	}
	if gone {
		return isDeleted, nil
	}
	return unknown, nil
}

// newest returns the change that determines the state of name itself, whatever is pending below it,
// or nil.
func (p *pending) newest(name string) *change {
	if n := p.find(name); n != nil {
		if t, ok := n.top(); ok {
			return t.change
		}
	}
	return nil
}

// appliedBefore returns the older, applied changes of the name of c: they must not be redone after
// c.
func (p *pending) appliedBefore(c *change) (before []*change) {
	n := p.find(c.rec.Name)
	if n == nil {
		return nil
	}
	for _, t := range n.touches {
		if o := t.change; !t.removes && o != c && !o.dead && o.isApplied && o.rec.Seq < c.rec.Seq {
			before = append(before, o)
		}
	}
	return before
}

// own returns the change that determines the state of name, if it is a change of this name and not
// a removal by another.
func (p *pending) own(name string) *change {
	if c := p.newest(name); c != nil && p.keyOf(c.rec.Name) == p.keyOf(name) {
		return c
	}
	return nil
}

// children returns a snapshot of the children of dir, by key. Its cost does not depend on their
// number.
func (p *pending) children(dir string) trie[child] {
	n := p.find(dir)
	if n == nil {
		return trie[child]{}
	}
	return n.children.snapshot()
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

// stillIts returns name if rec is responsible for what the remote has under it, else "": another
// change may come first. LOCKS_REQUIRED(Tree.mu)
func (p *pending) stillIts(name string, rec cache.Record) string {
	key := p.keyOf(name)
	own := key == p.keyOf(rec.Name) || slices.ContainsFunc(rec.Removes, func(other string) bool { return p.keyOf(other) == key })
	if name == "" || !own {
		return ""
	}
	return name
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

// related reports whether a and b are one path, or one is above the other.
func (p *pending) related(a, b string) bool {
	a, b = p.keyOf(a), p.keyOf(b)
	return a == b || remote.Below(a, b) || remote.Below(b, a)
}
