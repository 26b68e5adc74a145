package disktest

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// A Loss says which unsynced changes a new process finds.
type Loss struct {
	power bool
	keep  func() bool
}

// Nothing is lost: only the process dies.
func Nothing() Loss { return Loss{} }

// Everything unsynced is lost.
func Everything() Loss { return Loss{power: true, keep: func() bool { return false }} }

// Some of it is lost: the seed selects sectors and changes of names.
func Some(seed uint64) Loss {
	return Loss{power: true, keep: chance(rand.New(rand.NewPCG(seed, seed)))}
}

// copyNames copies names with their files; a file with two names is copied once.
func copyNames(names map[string]*node, copies map[*node]*node, l Loss) map[string]*node {
	copied := map[string]*node{}
	for _, name := range slices.Sorted(maps.Keys(names)) { // in order, so that a seed is reproducible
		n := names[name]
		if n == nil {
			copied[name] = nil
			continue
		}
		if copies[n] == nil {
			copies[n] = n.copied(l)
		}
		copied[name] = copies[n]
	}
	return copied
}

// copied returns the file as the next process finds it.
func (n *node) copied(l Loss) *node {
	if l.power {
		return n.afterCrash(l.keep)
	}
	c := newNode(n.name, n.dir)
	c.size, c.sizeBefore, c.changed = n.size, n.sizeBefore, n.changed
	for i, page := range n.pages {
		fresh := *page
		c.pages[i] = &fresh
	}
	for i, page := range n.before {
		c.before[i] = page
	}
	return c
}
