package readahead

const (
	maxRange   = 16 // blocks per request, unless Options.RoundTo or Chunks require more
	maxStreams = 16 // requests of one reader at a time
)

// window returns how many blocks may be in memory or requested. A client that had to wait recently
// is faster than the remote and gets twice as many, as requested blocks take no memory.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) window() int {
	if r.file.plan != nil {
		return r.blocks // requests are bounded by streams
	}
	head := r.file.index(r.pos)
	share := r.file.share()
	if head-r.waited < share/2 {
		share *= 2
	}
	return min(2+2*(head-r.first), share)
}

// memoryEnd returns the first block after the window.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) memoryEnd() int {
	return min(r.file.index(r.pos)+r.window(), r.blocks)
}

// diskEnd returns the first block after those read ahead to disk.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) diskEnd() int {
	end := r.memoryEnd()
	if r.file.copy != nil && !r.file.notKept {
		end += int(r.file.tree.opt.DiskAhead / blockSize)
	}
	return min(end, r.blocks)
}

// rangeSize returns the number of blocks of a request for block i: as many as leave all streams
// that there are, or soon will be, space in the window, or to the end of a chunk.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) rangeSize(i int) int {
	f := r.file
	if f.plan != nil {
		return min(f.plan.end(i), r.blocks) - i
	}
	if f.rounded() {
		chunk := f.tree.opt.RoundTo
		off, _ := f.span(i)
		return f.blocksTo(min(off-off%chunk+chunk, f.entry.Size)) - i
	}
	return min(max(r.window()/max(r.streams, maxStreams/2), 1), maxRange, r.blocks-i)
}

// missing marks the blocks of the window as needed. It returns the first that is neither present
// nor requested, and the number of blocks to request with it; 0 if there is none, or no space for
// them.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) missing() (first, n int) {
	f := r.file
	r.claimed = max(r.claimed, f.index(r.pos))
	memory, end := r.memoryEnd(), r.diskEnd()
	for r.claimed < end {
		i := r.claimed
		if r.slots[i] != nil {
			r.claimed++
		} else if to := f.heldTo(i); to > i {
			r.claimed = min(to, end)
		} else if b := f.flying[i]; b != nil {
			if i < memory {
				r.hold(i, b)
			}
			r.claimed++
		} else {
			return i, r.runLength(i, end)
		}
	}
	return 0, 0
}

// runLength returns how many blocks from the missing block i form one request; 0 if they would
// extend beyond end.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) runLength(i, end int) int {
	f := r.file
	most := r.rangeSize(i)
	if i+most > end && !f.rounded() {
		return 0
	}
	n := 1
	for n < most && r.slots[i+n] == nil && f.flying[i+n] == nil && f.heldTo(i+n) == i+n {
		n++
	}
	return n
}

// crowded reports whether q, before block i, must wait until its reader has space in memory. The
// block being read always has space, blocks that go to disk need none, and other readers do not
// wait for this one.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) crowded(q *fetch, i int) bool {
	f := r.file
	if !q.owned || q.over || i <= f.index(r.pos) || f.copy != nil && !f.notKept {
		return false
	}
	for _, b := range q.blocks {
		if b.wants > 1 && !b.whole {
			return false
		}
	}
	return r.inMemory(nil) >= f.share() || f.plan != nil && r.crowdedPlan(q, i)
}

// crowdedPlan reports whether block i of q must wait, so that each stream of the plan has its share
// of the memory, above all the one being read.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) crowdedPlan(q *fetch, i int) bool {
	n, _ := r.file.plan.blocks()
	return r.streams > 1 && (i-r.file.index(r.pos) >= r.streams*n || r.inMemory(q) >= max(r.file.share()/r.streams, 1))
}

// inMemory returns the number of blocks that r has in memory, only those of q unless q is nil.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) inMemory(q *fetch) int {
	n := 0
	for _, b := range r.slots {
		if b.data != nil && (q == nil || b.from == q) {
			n++
		}
	}
	return n
}

// releaseMemory releases block i, which is on disk, if there are too many in memory: it will be
// read from disk.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) releaseMemory(i int) {
	if r.slots[i] != nil && i > r.file.index(r.pos) && r.inMemory(nil) > r.file.share() {
		r.releaseBlock(i)
	}
}

// hold marks b, block i, as needed by r. If it waits for memory of another reader, it does not any
// more.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) hold(i int, b *block) {
	b.refs++
	b.wants++
	r.slots[i] = b
	if b.wants > 1 && r.file.crowds > 0 {
		r.file.changed.Broadcast()
	}
}

// releaseBlock ends r's use of block i, if it uses it.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) releaseBlock(i int) {
	b := r.slots[i]
	if b == nil {
		return
	}
	delete(r.slots, i)
	if r.err == nil {
		b.wants--
	}
	r.file.unref(b)
}
