package disktest

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

// A node is a directory, or a file with its pages: the current ones, and those of the last sync.
type node struct {
	dir  bool
	name string // its last name
	uses int    // number of names and open files; at 0 its pages are free

	pages   map[int64]*[PageSize]byte
	size    int64
	changed time.Time // wall clock

	// since the last sync
	before     map[int64]*[PageSize]byte // old pages; nil: a hole
	sizeBefore int64
}

func newNode(name string, dir bool) *node {
	return &node{
		name: name, dir: dir, changed: time.Now().Round(0),
		pages: map[int64]*[PageSize]byte{}, before: map[int64]*[PageSize]byte{},
	}
}

// page returns a page for writing, and saves its content of the last sync.
func (n *node) page(i int64) *[PageSize]byte {
	old := n.pages[i]
	if _, changed := n.before[i]; !changed {
		n.before[i] = old
		fresh := new([PageSize]byte)
		if old != nil {
			*fresh = *old
		}
		n.pages[i] = fresh
		return fresh
	}
	if old == nil {
		old = new([PageSize]byte)
		n.pages[i] = old
	}
	return old
}

// drop makes a page a hole.
func (n *node) drop(i int64) {
	if _, changed := n.before[i]; !changed {
		n.before[i] = n.pages[i]
	}
	delete(n.pages, i)
}

// readAt copies the existing bytes.
func (n *node) readAt(p []byte, off int64) int {
	p = p[:max(min(int64(len(p)), n.size-off), 0)]
	for done := 0; done < len(p); {
		at := off + int64(done)
		chunk := p[done:min(len(p), done+int(PageSize-at%PageSize))]
		if page := n.pages[at/PageSize]; page != nil {
			copy(chunk, page[at%PageSize:])
		} else {
			clear(chunk)
		}
		done += len(chunk)
	}
	return len(p)
}

// synced makes the current content durable.
func (n *node) synced() {
	clear(n.before)
	n.sizeBefore = n.size
}

// truncated truncates or extends the file, and returns the number of freed pages.
func (n *node) truncated(size int64) (freed int64) {
	for i := range n.pages {
		if i*PageSize >= size {
			n.drop(i)
			freed++
		}
	}
	if rest := size % PageSize; rest > 0 && size < n.size && n.pages[size/PageSize] != nil {
		clear(n.page(size / PageSize)[rest:])
	}
	n.size = size
	return freed
}

// afterCrash returns the file after a power loss: keep selects the unsynced changes that survive.
// The size is the old or the new one, like a sector.
func (n *node) afterCrash(keep func() bool) *node {
	after := newNode(n.name, n.dir)
	after.size, after.changed = n.size, n.changed
	if n.size != n.sizeBefore && !keep() {
		after.size = n.sizeBefore
	}
	for i, page := range n.pages {
		after.pages[i] = page
	}
	for _, i := range slices.Sorted(maps.Keys(n.before)) {
		if page := mixed(n.before[i], after.pages[i], keep); page != nil {
			after.pages[i] = page
		} else {
			delete(after.pages, i)
		}
	}
	for i := range after.pages {
		if i*PageSize >= after.size {
			delete(after.pages, i)
			continue
		}
		copied := *after.pages[i]
		after.pages[i] = &copied
	}
	after.synced()
	return after
}

// mixed returns a page after a power loss: each sector is the old or the new one. Nil is a hole.
func mixed(before, now *[PageSize]byte, keep func() bool) *[PageSize]byte {
	hole := new([PageSize]byte)
	page := *cmp.Or(before, hole)
	lost := true
	for at := 0; at < PageSize; at += SectorSize {
		if keep() {
			copy(page[at:at+SectorSize], cmp.Or(now, hole)[at:])
			lost = false
		}
	}
	if lost && before == nil {
		return nil
	}
	return &page
}

// chance returns a keep that is true about half of the time.
func chance(r *rand.Rand) func() bool { return func() bool { return r.IntN(2) == 0 } }
