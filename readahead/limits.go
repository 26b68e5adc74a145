package readahead

import "sync/atomic"

// limits bounds the memory of readers: buffer bytes for each, and total bytes, unless it is 0, for
// all together. With many readers each gets less, and none is refused.
type limits struct {
	buffer, total int64
	readers       atomic.Int64
}

// join adds a reader.
func (l *limits) join() { l.readers.Add(1) }

// leave removes a reader.
func (l *limits) leave() { l.readers.Add(-1) }

// share returns how many blocks a reader that would use bytes may have: fewer, the more readers
// there are, but at least one.
func (l *limits) share(bytes int64) int {
	if l.total > 0 {
		bytes = min(bytes, l.total/max(l.readers.Load(), 1))
	}
	return int(max(bytes/blockSize, 1))
}

// share returns how many blocks of f a reader may have in memory.
func (f *file) share() int {
	if f.plan == nil || f.plan.Streams <= 0 {
		return f.tree.limits.share(f.tree.limits.buffer)
	}
	streams := f.plan.Streams
	return max(f.tree.limits.share(int64(streams)*min(f.plan.Size, f.entry.Size)), streams)
}
