package s3

// firstBuffer is the memory that an upload begins with. It grows to a part.
const firstBuffer = 64 << 10

// partSize returns how long the n-th part of a file is. A file may have a limited number of parts, and how long it will
// be is not known; so after each tenth of them they become twice as long, but for the first.
func (r *Remote) partSize(n int) int64 {
	tenth := max(r.opt.MaxParts/10, 1)
	return r.opt.ChunkSize << min(max((n-1)/tenth-1, 0), 8)
}

// grow returns a buffer that begins with buf and has more room, up to size bytes.
func (r *Remote) grow(buf []byte, size int64) []byte {
	want := min(max(int64(cap(buf))*4, firstBuffer), size)
	if want == size {
		return append(r.buffer(size), buf...)
	}
	return append(make([]byte, 0, want), buf...)
}

// buffer returns an empty one with room for size bytes.
func (r *Remote) buffer(size int64) []byte {
	if size == r.opt.ChunkSize {
		if pooled, ok := r.buffers.Get().(*[]byte); ok {
			return (*pooled)[:0]
		}
	}
	return make([]byte, 0, size)
}

// release gives back a buffer that nobody reads any more. A request that failed may still do so.
func (r *Remote) release(buf []byte) {
	if int64(cap(buf)) == r.opt.ChunkSize {
		r.buffers.Put(&buf)
	}
}
