package readahead

import "sync/atomic"

// limits bounds the memory of all who read: buffer bytes for each, and total bytes, unless it is 0,
// for all together. When readers are many each gets less, and none is refused.
type limits struct {
	buffer, total int64
	readers       atomic.Int64
}

// join adds a reader.
func (l *limits) join() { l.readers.Add(1) }

// leave takes a reader away.
func (l *limits) leave() { l.readers.Add(-1) }

// share is how many blocks a reader may have that would use so many bytes: fewer, the more readers
// there are, but always one.
func (l *limits) share(bytes int64) int {
	if l.total > 0 {
		bytes = min(bytes, l.total/max(l.readers.Load(), 1))
	}
	return int(max(bytes/blockSize, 1))
}
