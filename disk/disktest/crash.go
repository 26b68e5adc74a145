package disktest

import (
	"maps"
	"math/rand/v2"
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

// Restart returns the disk as the next process finds it, without faults. The old disk and its open
// files are independent of it.
func (d *Disk) Restart(l Loss) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	next := New()
	next.boots = d.boots
	next.size = d.size
	names := maps.Clone(d.names.live)
	if l.power {
		next.boots++
		names = d.names.afterCrash(l.keep)
	}
	copies := map[*node]*node{}
	next.names.live = copyNames(names, copies, l)
	if l.power {
		next.names.durable = maps.Clone(next.names.live)
	} else {
		next.names.durable = copyNames(d.names.durable, copies, l)
		for _, c := range d.names.pending {
			next.names.pending = append(next.names.pending, copyNames(c, copies, l))
		}
	}
	for _, n := range next.names.live {
		n.uses++
		if n.uses == 1 {
			next.used += int64(len(n.pages)) * PageSize
		}
	}
	next.peak = next.used
	return next
}

// copyNames copies names with their files; a file with two names is copied once.
func copyNames(names map[string]*node, copies map[*node]*node, l Loss) map[string]*node {
	copied := map[string]*node{}
	for _, name := range sortedKeys(names) { // in order, so that a seed is reproducible
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
