package vfs

import "sync"

// told remembers what sizes of unfinished uploads clients were told. Where other processes keep
// uploads in the same store, what is there can become another upload between SIZE and APPE, which
// does not say where it goes on.
type told struct {
	mu    sync.Mutex
	sizes map[toldKey]int64 // guarded by mu; noPart where there was neither a file nor an upload
}

type toldKey struct{ owner, name string }

const noPart = -1

// maxTold bounds memory: when there are this many, all are dropped.
const maxTold = 1000

// set notes that owner was told a size.
func (t *told) set(owner, name string, size int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sizes == nil || len(t.sizes) >= maxTold {
		t.sizes = map[toldKey]int64{}
	}
	t.sizes[toldKey{owner, name}] = size
}

// clear notes that there is a file, or that the owner has ended an upload here.
func (t *told) clear(owner, name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.sizes, toldKey{owner, name})
}

// differs reports whether an append would go on elsewhere than where the owner was told.
func (t *told) differs(owner, name string, b before) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	size, known := t.sizes[toldKey{owner, name}]
	switch {
	case !known:
		return false
	case size == noPart:
		return b.hasPart && !b.hasFile
	}
	return b.hasFile || !b.hasPart || b.part.Size != size
}
