package writeback

import (
	"cmp"
	"slices"
	"time"

	"ferry/remote"
)

// look returns the state of name according to the pending changes.
func (v *Tree) look(name string) (state, *change) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.pending.look(name)
}

// describe returns the entry of a pending file or directory. If c is nil, it is a directory with
// pending changes in it.
// LOCKS_REQUIRED(v.mu)
func (v *Tree) describe(name string, st state, c *change) remote.Entry {
	_, base := remote.Split(name)
	e := remote.Entry{Name: base, Dir: st == isDir}
	if v.caps.Modes {
		e.Mode = 0o644
		if e.Dir {
			e.Mode = 0o755
		}
	}
	if c == nil {
		return e
	}
	e.ModTime = v.rounded(c.rec.ModTime)
	if !e.Dir {
		e.Size = c.rec.Size
		if c.mode != 0 {
			e.Mode = c.mode
		}
	}
	return e
}

// rounded returns t as the remote will keep it.
func (v *Tree) rounded(t time.Time) time.Time {
	if v.caps.ModTime > 0 {
		return t.Truncate(v.caps.ModTime)
	}
	return t
}

// changes returns the pending changes, the oldest first.
func (v *Tree) changes() []*change {
	v.mu.Lock()
	waiting := v.pending.changes.snapshot()
	v.mu.Unlock()
	changes := make([]*change, 0, waiting.size())
	for _, c := range waiting.all() {
		changes = append(changes, c)
	}
	slices.SortFunc(changes, func(a, b *change) int { return cmp.Compare(a.rec.Seq, b.rec.Seq) })
	return changes
}

// pendingAt returns the pending changes at names, above and below them.
func (v *Tree) pendingAt(names ...string) []*change {
	v.mu.Lock()
	few, ok := v.fewPendingAt(names...)
	v.mu.Unlock()
	if ok {
		return few
	}
	return slices.DeleteFunc(v.changes(), func(c *change) bool {
		for path := range v.pending.paths(c) {
			for _, name := range names {
				if v.pending.related(path, name) {
					return false
				}
			}
		}
		return true
	})
}

// fewPendingAt is pendingAt if they are found quickly; otherwise it returns false.
// LOCKS_REQUIRED(v.mu)
func (v *Tree) fewPendingAt(names ...string) ([]*change, bool) {
	seen := map[*change]bool{}
	var found []*change
	visits := 0
	for c := range v.pending.touching(names...) {
		if visits++; visits > batch {
			return nil, false
		}
		if !seen[c] && !c.dead && !c.refused {
			seen[c] = true
			found = append(found, c)
		}
	}
	return found, true
}

// appliedAt returns the applied changes at names, above and below them.
func (v *Tree) appliedAt(names ...string) []*change {
	var applied []*change
	v.inBatches(v.pendingAt(names...), func(c *change) {
		if c.isApplied {
			applied = append(applied, c)
		}
	})
	return applied
}

// batch is how many changes are handled at a time under Tree.mu, so that others need not wait for
// all of them.
const batch = 256

// inBatches calls do for each of changes with v.mu held, which it releases between batches.
func (v *Tree) inBatches(changes []*change, do func(*change)) {
	for some := range slices.Chunk(changes, batch) {
		v.locked(func() {
			for _, c := range some {
				do(c)
			}
		})
	}
}

func (v *Tree) locked(do func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	do()
}
