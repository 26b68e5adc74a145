package readahead

// Chunks say in which requests a file is read, instead of what turns out to be quickest. Sizes are
// rounded down to a number of equal blocks of at most 256 KiB.
type Chunks struct {
	// Size is how many bytes the first request asks for; 0 or less is the rest of the file.
	Size int64
	// Limit is up to which size each request asks for twice as much as the one before; below 0
	// there is no limit. One that is not larger than Size means that all ask for Size.
	Limit int64
	// Streams is how many requests for Size there are at a time. Each is read ahead to its end,
	// within MaxBuffer. 0 is one request after the other, read ahead by Buffer.
	Streams int
}

// blocks returns how many blocks the first chunk has, and how long they are.
func (c *Chunks) blocks() (n int, size int64) {
	if c == nil {
		return 1, blockSize
	}
	n = int((c.Size-1)/blockSize + 1)
	return n, c.Size / int64(n)
}

// end returns the block behind the chunk that block i is in.
func (c *Chunks) end(i int) int {
	first, most := 0, 0 // blocks of the chunk before i, and of the largest
	n, size := c.blocks()
	switch most = int(c.Limit / size); {
	case c.Streams > 0 || c.Limit >= 0 && c.Limit <= c.Size:
		most = n
	case c.Limit < 0:
		most = i + n // more than is needed
	}
	for n < most && i >= first+n {
		first += n
		n = min(2*n, most)
	}
	return first + ((i-first)/n+1)*n
}

// share is how many blocks of f a reader may have in memory.
func (f *file) share() int {
	if f.plan == nil || f.plan.Streams <= 0 {
		return f.tree.limits.share(f.tree.limits.buffer)
	}
	streams := f.plan.Streams
	return max(f.tree.limits.share(int64(streams)*min(f.plan.Size, f.entry.Size)), streams)
}

// crowded reports whether block i of q has to wait so that each of the streams has its share of the
// memory: the one that is read, above all.
// LOCKS_REQUIRED(r.file.mu)
func (c *Chunks) crowded(r *reader, q *fetch, i int) bool {
	n, _ := c.blocks()
	return r.streams > 1 && (i-r.file.index(r.pos) >= r.streams*n || r.inMemory(q) >= max(r.file.share()/r.streams, 1))
}
