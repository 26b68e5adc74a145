package gcs

import (
	"context"

	"ferry/budget"
)

// The memory of an upload holds its beginning, or one chunk. Its methods are called by one
// goroutine at a time.
type memory struct {
	*budget.Budget
	upload *budget.Upload
}

func newMemory(b *budget.Budget) *memory { return &memory{b, b.Upload()} }

// begin returns held, with room for n bytes in all.
func (m *memory) begin(ctx context.Context, held []byte, n int) ([]byte, error) {
	if n <= cap(held) {
		return held, nil
	}
	size, reserve := firstBuffer, m.upload.Begin
	if n > firstBuffer {
		size, reserve = smallUpload, m.upload.Collect
	}
	if err := reserve(ctx, int64(size)); err != nil {
		return held, err
	}
	grown := append(m.Buffer(size), held...)
	m.Recycle(held)
	return grown, nil
}

// chunk returns a buffer for the next chunk, as soon as there is memory for it. It is shorter where
// many uploads share that.
func (m *memory) chunk(ctx context.Context) ([]byte, error) {
	size := max(m.Fair(chunk)/chunkUnit*chunkUnit, smallUpload)
	if err := m.upload.Collect(ctx, size); err != nil {
		return nil, err
	}
	return m.Buffer(int(size))[:size], nil
}
