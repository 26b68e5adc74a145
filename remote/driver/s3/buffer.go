package s3

import "ferry/remote/driver/internal/objects"

// firstBuffer is the memory that an upload begins with. It grows to a part.
const firstBuffer = 64 << 10

// partSize returns how long the n-th part of a file is. A file may have a limited number of parts,
// and how long it will be is not known; so after each tenth of them they become twice as long, but
// for the first.
func (r *Remote) partSize(n int) int64 {
	tenth := max(r.opt.MaxParts/10, 1)
	return r.opt.ChunkSize << min(max((n-1)/tenth-1, 0), 8)
}

// knownPartSize returns how long the parts of a file of size bytes are; 0 where the size is not
// known.
func (r *Remote) knownPartSize(size int64) int64 {
	if size <= 0 {
		return 0
	}
	return objects.Piece(size, r.opt.ChunkSize, int64(r.opt.inFlight())*r.opt.ChunkSize, r.opt.MaxParts)
}

// inFlight is how many parts of ChunkSize may be on their way. One more is being collected. A part
// waits for its answer for a round trip after it was sent, which at 100 MB/s and 30 ms is two
// thirds of the time that a small one takes to be sent; so there are nearly twice as many as are to
// be sent at once.
func (o *Options) inFlight() int {
	return max(o.Concurrency+min(o.Concurrency, int(spareMemory/o.ChunkSize))-1, 1)
}

// bufferSize returns how long a buffer is made that is to hold n bytes of a part: one of few sizes,
// so that it can be used again.
func bufferSize(n, part int64) int64 {
	size := int64(firstBuffer)
	for size < n {
		size *= 4
	}
	return min(size, part)
}
