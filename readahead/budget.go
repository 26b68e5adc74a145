package readahead

import "sync/atomic"

// A Budget bounds the memory of the readers of all Trees that have it. With many readers each gets
// less, and none is refused. Its methods may be called concurrently.
type Budget struct {
	total   int64 // constant; 0 = no limit
	readers atomic.Int64
}

// NewBudget returns a Budget of total bytes; 0 = no limit.
func NewBudget(total int64) *Budget { return &Budget{total: max(total, 0)} }

// Readers returns how many readers share the budget at the moment.
func (b *Budget) Readers() int64 { return b.readers.Load() }

// join adds a reader.
func (b *Budget) join() { b.readers.Add(1) }

// leave removes a reader.
func (b *Budget) leave() { b.readers.Add(-1) }

// share returns how many blocks a reader that would use bytes may have: fewer, the more readers
// there are, but at least one.
func (b *Budget) share(bytes int64) int {
	if b.total > 0 {
		bytes = min(bytes, b.total/max(b.readers.Load(), 1))
	}
	return int(max(bytes/blockSize, 1))
}

// share returns how many blocks of f a reader may have in memory.
func (f *file) share() int {
	if f.plan == nil || f.plan.Streams <= 0 {
		return f.tree.budget.share(f.tree.opt.Buffer)
	}
	streams := f.plan.Streams
	return max(f.tree.budget.share(int64(streams)*min(f.plan.Size, f.entry.Size)), streams)
}
