package disktest

import (
	"io/fs"
	"maps"
	"path"
	"slices"
	"syscall"
)

// A namespace holds the names: the current ones, and those after a power loss.
type namespace struct {
	live    map[string]*node
	durable map[string]*node
	pending []change // in order
}

// A change is one operation on names. It is atomic, even in a power loss, and never survives
// without earlier ones on the same names.
type change map[string]*node // nil: the name is gone

func newNamespace() namespace {
	root := newNode(".", true)
	return namespace{live: map[string]*node{".": root}, durable: map[string]*node{".": root}}
}

// apply applies c, and records that it is not durable.
func (ns *namespace) apply(c change) {
	c.in(ns.live)
	ns.pending = append(ns.pending, c)
}

func (c change) in(names map[string]*node) {
	for name, n := range c {
		if n == nil {
			delete(names, name)
		} else {
			names[name] = n
		}
	}
}

// sync makes the changes of one directory durable.
func (ns *namespace) sync(dir string) {
	ns.pending = ns.settle(ns.durable, func(c change) bool {
		for name := range c {
			if path.Dir(name) == dir {
				return true
			}
		}
		return false
	})
}

// settle applies the chosen changes to names, and earlier ones of the same names. It returns the
// others.
func (ns *namespace) settle(names map[string]*node, chosen func(change) bool) (others []change) {
	take := make([]bool, len(ns.pending))
	needed := map[string]bool{} // by a later applied change
	for i, c := range slices.Backward(ns.pending) {
		take[i] = chosen(c)
		for name := range c {
			take[i] = take[i] || needed[name]
		}
		if take[i] {
			for name := range c {
				needed[name] = true
			}
		}
	}
	for i, c := range ns.pending {
		if take[i] {
			c.in(names)
		} else {
			others = append(others, c)
		}
	}
	return others
}

// afterCrash returns the names after a power loss; keep selects the unsynced changes that survive.
// The entries of a lost directory are lost.
func (ns *namespace) afterCrash(keep func() bool) map[string]*node {
	names := maps.Clone(ns.durable)
	ns.settle(names, func(change) bool { return keep() })
	for _, name := range slices.Sorted(maps.Keys(names)) { // parents first
		if name == "." {
			continue
		}
		if parent := names[path.Dir(name)]; parent == nil || !parent.dir {
			delete(names, name)
		}
	}
	return names
}

// find returns the node of name, and an error if its directory does not exist.
func (ns *namespace) find(op, name string) (*node, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	parent := ns.live[path.Dir(name)]
	if parent == nil {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	if !parent.dir {
		return nil, &fs.PathError{Op: op, Path: name, Err: syscall.ENOTDIR}
	}
	return ns.live[name], nil
}

// existing is find for a name that must exist.
func (ns *namespace) existing(op, name string) (*node, error) {
	n, err := ns.find(op, name)
	if err == nil && n == nil {
		err = &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return n, err
}
