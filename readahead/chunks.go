package readahead

// Chunks prescribe the requests by which a file is read, in place of the adaptive default. Sizes
// are rounded down to a number of equal blocks of at most 256 KiB.
type Chunks struct {
	// Size is the length of the first request in bytes; 0 or less is the rest of the file.
	Size int64
	// Limit is the size up to which each request is twice as long as the one before; below 0 there
	// is no limit. If it is not larger than Size, all requests are of Size.
	Limit int64
	// Streams is the number of concurrent requests of Size. Each is read ahead to its end, within
	// the Budget. 0 is one request after another, read ahead by Buffer.
	Streams int
}

// blocks returns the number of blocks of the first chunk, and their length.
func (c *Chunks) blocks() (n int, size int64) {
	if c == nil {
		return 1, blockSize
	}
	n = int((c.Size-1)/blockSize + 1)
	return n, c.Size / int64(n)
}

// end returns the first block after the chunk that contains block i.
func (c *Chunks) end(i int) int {
	first, most := 0, 0 // blocks before i's chunk, and of the largest chunk
	n, size := c.blocks()
	switch most = int(c.Limit / size); {
	case c.Streams > 0 || c.Limit >= 0 && c.Limit <= c.Size:
		most = n
	case c.Limit < 0:
		most = i + n // more than necessary
	}
	for n < most && i >= first+n {
		first += n
		n = min(2*n, most)
	}
	return first + ((i-first)/n+1)*n
}
