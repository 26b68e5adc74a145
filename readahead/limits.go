package readahead

import "sync/atomic"

// Limits bounds the memory of all who read.
type Limits struct {
	buffer  int64 // bytes for one reader
	total   int64 // bytes for all; 0 = no limit
	readers atomic.Int64
}

// NewLimits gives buffer bytes to each reader and total bytes, unless it is 0, to all together.
// When readers are many each gets less, and none is refused.
func NewLimits(buffer, total int64) *Limits { return &Limits{buffer: buffer, total: total} }

// Join adds a reader.
func (l *Limits) Join() { l.readers.Add(1) }

// Leave takes a reader away.
func (l *Limits) Leave() { l.readers.Add(-1) }

// Buffer is how many bytes one reader may have when it is alone.
func (l *Limits) Buffer() int64 { return l.buffer }

// Each is how many bytes of those for all one reader may have; 0 = no limit.
func (l *Limits) Each() int64 {
	if l.total <= 0 {
		return 0
	}
	return max(l.total/max(l.readers.Load(), 1), 1)
}

// Share is how many blocks of 256 KiB one reader may have: fewer, the more there are, but always
// one.
func (l *Limits) Share() int {
	bytes := l.buffer
	if each := l.Each(); each > 0 {
		bytes = min(bytes, each)
	}
	return int(max(bytes/blockSize, 1))
}
