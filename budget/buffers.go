package budget

import "sync"

// maxSizes is of how many sizes buffers are kept.
const maxSizes = 16

// recycle has buffers of one size. What is not used for a while goes.
type recycle struct{ *sync.Pool }

// Buffer returns an empty buffer of size bytes that was used before, or a new one.
func (b *Budget) Buffer(size int) []byte {
	if buf := b.Used(size); buf != nil {
		return buf
	}
	return make([]byte, 0, size)
}

// Used returns an empty buffer of size bytes that was used before, nil if there is none.
func (b *Budget) Used(size int) []byte {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	kept, ok := b.buffers[size]
	b.mu.Unlock()
	if !ok {
		return nil
	}
	if buf, ok := kept.Get().(*[]byte); ok {
		return (*buf)[:0]
	}
	return nil
}

// Recycle keeps a buffer that nobody reads or writes any more.
func (b *Budget) Recycle(buf []byte) {
	if b == nil || cap(buf) == 0 {
		return
	}
	b.mu.Lock()
	kept, ok := b.buffers[cap(buf)]
	if !ok && len(b.buffers) < maxSizes {
		if b.buffers == nil {
			b.buffers = map[int]recycle{}
		}
		kept, ok = recycle{new(sync.Pool)}, true
		b.buffers[cap(buf)] = kept
	}
	b.mu.Unlock()
	if ok {
		kept.Put(&buf)
	}
}
