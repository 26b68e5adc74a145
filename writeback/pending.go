package writeback

import (
	"iter"
	"slices"
	"strings"

	"ferry/cache"
	"ferry/remote"
)

// pending is the picture of everything that waits to be applied on the remote, as a tree of the
// paths concerned. It does no I/O and has no lock of its own: Tree.mu guards it, and every change
// in it.
//
// A change touches its own name and the names that go away with it. Of the changes that touch one
// path the newest says what is there; where none does, the remote knows.
type pending struct {
	fold    bool // names that differ in case are one
	root    node
	changes trie[*change] // by the ID of the record; without those that were superseded or refused
	bytes   int64         // INVARIANT: the sizes of the files among changes
	failed  int           // INVARIANT: how many of changes have a failure
	last    error         // the latest of their failures
}

// node is one path.
type node struct {
	parent   *node
	key      string // in parent.children
	name     string // last element, as it is shown
	children trie[child]
	touches  []touch // the oldest first
	waits    bool    // INVARIANT: a file or directory of this path waits
	below    int     // INVARIANT: how many paths below this one wait so
}

// touch is what a change has to do with a path.
type touch struct {
	change  *change
	removes bool // the path goes away with the change, which is one for another name
}

// gone reports whether the path is to be no more.
func (t touch) gone() bool {
	return t.removes || t.change.rec.Kind == cache.Removed || t.change.rec.Kind == cache.RemovedDir
}

// state is what a path is as far as what waits tells.
type state uint8

const (
	unknown   state = iota // nothing here tells: the remote knows
	isFile                 // a file that waits
	isMoved                // a file of the remote that waits to get this name
	isDir                  // a directory that waits, or that something waits in
	isDeleted              // it was removed here, or lies in something that was
	underFile              // it lies below a file that waits, and so cannot exist
)

func newPending(fold bool) *pending {
	return &pending{fold: fold}
}

// keyOf is what elements, and names, are compared by.
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

// at returns the node of name, which it makes if need be.
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

// find returns the node of name, nil where there is none.
func (p *pending) find(name string) *node {
	n := &p.root
	for elem := range elements(name) {
		if n = n.child(p.keyOf(elem)); n == nil {
			return nil
		}
	}
	return n
}

// child returns the node of an element, nil where there is none.
func (n *node) child(key string) *node {
	c, _ := n.children.get(key)
	return c.node
}

// add takes c into the picture. It returns the changes that come later because of it.
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

// supersede notes that c no longer says what is there, because another change does or nothing waits
// any more. As long as its run goes on it stays in the way of others.
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
	p.unfail(c)
	for name := range p.paths(c) {
		p.find(name).changed()
	}
	if c.run == nil {
		p.detach(c)
	}
}

// heal forgets that c has failed.
func (p *pending) heal(c *change) {
	if !c.dead {
		p.unfail(c)
	}
	c.failed = nil
}

// unfail takes c out of the count of those that have failed.
func (p *pending) unfail(c *change) {
	if c.failed == nil {
		return
	}
	if p.failed--; p.failed == 0 {
		p.last = nil
	}
}

// detach takes c, which is dead, out of the way.
func (p *pending) detach(c *change) {
	for name := range p.paths(c) {
		n := p.find(name)
		n.touches = slices.DeleteFunc(n.touches, func(t touch) bool { return t.change == c })
		n.prune()
	}
}

// dropRemovals has c say something of its own name alone.
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

// paths yields the paths that c touches, and of each whether it goes away.
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
	n.show()
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
		up.show()
	}
}

// show tells the parent of n what n is.
func (n *node) show() {
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

// prune takes n and those above it away as far as nothing needs them.
func (n *node) prune() {
	for n.parent != nil && len(n.touches) == 0 && n.children.size() == 0 {
		n.parent.children.remove(n.key)
		n = n.parent
	}
}

// top returns what says what is at n, if anything does.
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

// look returns what name is. The change is the one that says so, nil for a directory that is one
// because something waits in it.
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

// newest returns the change that says what is at name itself, whatever waits below it; nil where
// none does.
func (p *pending) newest(name string) *change {
	if n := p.find(name); n != nil {
		if t, ok := n.top(); ok {
			return t.change
		}
	}
	return nil
}

// appliedBefore returns the changes of the name of c that are older and applied: nothing may be
// done for their sake after c.
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

// own returns the change that says what is at name itself, if that is one of this name and not one
// that takes it away.
func (p *pending) own(name string) *change {
	if c := p.newest(name); c != nil && p.keyOf(c.rec.Name) == p.keyOf(name) {
		return c
	}
	return nil
}

// A child is what a path directly in a directory is. It does not change: another takes its place.
type child struct {
	node   *node // only for who holds the lock
	name   string
	state  state   // isFile, isMoved, isDir, isDeleted, or unknown where it only leads to what is below it
	change *change // nil for a directory that something waits in
	own    bool    // what the remote has of this name is replaced or removed
}

// children returns what waits directly in dir at this moment, by key. That it does not change makes
// it as quick for many as for few.
func (p *pending) children(dir string) trie[child] {
	n := p.find(dir)
	if n == nil {
		return trie[child]{}
	}
	return n.children.snapshot()
}
