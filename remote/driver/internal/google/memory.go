package google

import (
	"context"

	"ferry/budget"
)

// The Memory of an upload holds its beginning, or one chunk. Its methods are called by one
// goroutine at a time.
type Memory struct {
	*budget.Budget
	Upload *budget.Upload // what is reserved of the Budget; whoever made the Memory ends it
	size   int64          // of a chunk at most
}

const (
	// ChunkUnit is what a chunk is a multiple of, but for the last.
	ChunkUnit = 256 << 10
	// Small is how much is held back before anything is sent: what is not more goes in one request.
	Small = 1 << 20
	// firstBuffer is the memory that an upload begins with.
	firstBuffer = 64 << 10
)

// NewMemory returns the memory of a new upload, whose chunks have size bytes at most.
func NewMemory(b *budget.Budget, size int64) *Memory { return &Memory{b, b.Upload(), size} }

// Begin returns held, with room for n bytes in all, Small at most.
func (m *Memory) Begin(ctx context.Context, held []byte, n int) ([]byte, error) {
	if n <= cap(held) {
		return held, nil
	}
	size, reserve := firstBuffer, m.Upload.Begin
	if n > firstBuffer {
		size, reserve = Small, m.Upload.Collect
	}
	if err := reserve(ctx, int64(size)); err != nil {
		return held, err
	}
	grown := append(m.Buffer(size), held...)
	m.Recycle(held)
	return grown, nil
}

// Chunk returns a buffer for the next chunk, as soon as there is memory for it. It is shorter where
// many uploads share that.
func (m *Memory) Chunk(ctx context.Context) ([]byte, error) {
	size := max(m.Fair(m.size)/ChunkUnit*ChunkUnit, min(m.size, Small))
	if err := m.Upload.Collect(ctx, size); err != nil {
		return nil, err
	}
	return m.Buffer(int(size))[:size], nil
}
