package writeback

import (
	"slices"

	"ferry/cache"
)

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

// A child is the state of a path directly in a directory. It is immutable.
type child struct {
	node   *node // use only with the lock held
	name   string
	state  state   // isFile, isMoved, isDir, isDeleted, or unknown if it only leads to paths below it
	change *change // nil for a directory with pending changes in it
	own    bool    // replaces or removes what the remote has of this name
}

// child returns the node of an element, or nil.
func (n *node) child(key string) *node {
	c, _ := n.children.get(key)
	return c.node
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
