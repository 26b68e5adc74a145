// Package budget bounds the memory of the bytes that are on their way: of files that are read
// ahead, and of parts of uploads.
//
// A reader is never refused: the more there are, the less each may have (Share). What an upload
// wants to hold it reserves before, and waits until that is free (Upload).
//
//	budget.go   Budget: what readers may have
//	upload.go   Upload: what one upload has reserved
//	waiting.go  how much is left for uploads, who waits for it, and who is next
//	buffers.go  buffers that are used again
package budget

import (
	"sync"
	"sync/atomic"
)

// A Budget is the memory that transfers share. A nil one has no limit. Its methods may be called
// concurrently.
type Budget struct {
	total   int64 // constant; 0 = no limit
	readers atomic.Int64
	uploads atomic.Int64
	held    atomic.Int64 // by uploads; changed under mu

	mu      sync.Mutex
	wanted  int64           // guarded by mu; what the readers would use
	wholes  int             // guarded by mu; reservations of whole parts
	waiting [classes]queue  // guarded by mu
	buffers map[int]recycle // guarded by mu; by size
}

// New returns a Budget of total bytes; 0 or less = no limit.
func New(total int64) *Budget { return &Budget{total: max(total, 0)} }

// Readers returns how many readers share the budget at the moment.
func (b *Budget) Readers() int64 { return b.readers.Load() }

// Held returns how many bytes uploads hold.
func (b *Budget) Held() int64 {
	if b == nil {
		return 0
	}
	return b.held.Load()
}

// AddReader adds a reader that would use so many bytes. The caller calls RemoveReader.
func (b *Budget) AddReader(wanted int64) { b.changeReaders(1, wanted) }

// RemoveReader removes a reader that was added with wanted.
func (b *Budget) RemoveReader(wanted int64) { b.changeReaders(-1, -wanted) }

func (b *Budget) changeReaders(n, wanted int64) {
	b.readers.Add(n)
	if b.total == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wanted += wanted
	if n < 0 {
		b.grant()
	}
}

// Share returns how many bytes a reader that would use wanted may have: fewer, the more transfers
// there are.
func (b *Budget) Share(wanted int64) int64 {
	if b.total == 0 {
		return wanted
	}
	readers := max(b.readers.Load(), 1)
	return min(wanted, max(b.fair(readers), (b.total-b.held.Load())/readers))
}

// Fair returns how many bytes each transfer has if all have the same; limit at most, and without a
// limit of the budget.
func (b *Budget) Fair(limit int64) int64 {
	if b == nil || b.total == 0 {
		return limit
	}
	return min(limit, b.fair(b.readers.Load()))
}
