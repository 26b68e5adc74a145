package writeback

import "time"

// Oldest implements Pending. A change that was made on the remote and is only rechecked does not
// count.
func (v *Tree) Oldest() time.Time {
	v.mu.Lock()
	waiting := v.pending.changes.snapshot()
	v.mu.Unlock()
	changes := make([]*change, 0, waiting.size())
	for _, c := range waiting.all() {
		changes = append(changes, c)
	}
	var oldest time.Time
	v.inBatches(changes, func(c *change) {
		if !c.dead && !c.isApplied && (oldest.IsZero() || c.first.Before(oldest)) {
			oldest = c.first
		}
	})
	return oldest
}
