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
}

// A node is one path.
type node struct {
	parent   *node
	key      string // in parent.children
	name     string // last element, as shown
	children trie[child]
	touches  []touch // the oldest first
	waits    bool    // INVARIANT: the path is a pending file or directory
	below    int     // INVARIANT: number of paths below that are
}

// A touch is the effect of a change on a path.
type touch struct {
	change  *change
	removes bool // the path is removed by a change of another name
}

// gone reports whether the path is removed.
func (t touch) gone() bool {
	return t.removes || t.change.rec.Kind == cache.Removed || t.change.rec.Kind == cache.RemovedDir
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

// child returns the node of an element, or nil.
func (n *node) child(key string) *node {
	c, _ := n.children.get(key)
	return c.node
}

// add adds c. It returns the changes that come later because of it.
func (p *pending) add(c *change) (later []*change) {
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

// supersede records that c does not determine the state of its paths any more, because another
// change does or none is pending. While its run is in progress, c still blocks others.
func (p *pending) supersede(c *change) {
	if c.dead {
		return
	}
	c.dead = true
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

// changed restores the invariants after a change of the touches of n.
func (n *node) changed() {
	n.updateParent()
	t, ok := n.top()
	waits := ok && !t.gone()
	if waits == n.waits {
		return
	}
	n.waits = waits
	delta := 1
	if !waits {
		delta = -1
	}
	for up := n.parent; up != nil; up = up.parent {
		up.below += delta
		up.updateParent()
	}
}

// updateParent updates n in its parent.
func (n *node) updateParent() {
	if n.parent == nil {
		return
	}
	_, own := n.top()
	st, c := n.state()
	now := child{node: n, name: n.name, state: st, change: c, own: own}
	if was, _ := n.parent.children.get(n.key); was != now {
		n.parent.children.set(n.key, now)
	}
}

// prune removes n and its parents as far as they are not needed.
func (n *node) prune() {
	for n.parent != nil && len(n.touches) == 0 && n.children.size() == 0 {
		n.parent.children.remove(n.key)
		n = n.parent
	}
}

// top returns the touch that determines the state of n, if there is one.
func (n *node) top() (touch, bool) {
	for _, t := range slices.Backward(n.touches) {
		if !t.change.dead {
			return t, true
		}
	}
	return touch{}, false
}

// state returns what n itself is.
func (n *node) state() (state, *change) {
	t, ok := n.top()
	switch {
	case ok && !t.removes && t.change.rec.Kind == cache.File:
		return isFile, t.change
	case ok && !t.removes && t.change.rec.Kind == cache.Moved:
		return isMoved, t.change
	case ok && !t.removes && t.change.rec.Kind == cache.Dir:
		return isDir, t.change
	case n.below > 0:
		return isDir, nil
	case ok:
		return isDeleted, t.change
	}
	return unknown, nil
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

// A child is the state of a path directly in a directory. It is immutable.
type child struct {
	node   *node // use only with the lock held
	name   string
	state  state   // isFile, isMoved, isDir, isDeleted, or unknown if it only leads to paths below it
	change *change // nil for a directory with pending changes in it
	own    bool    // replaces or removes what the remote has of this name
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
