package readahead

import (
	"context"
	"time"
)

const (
	maxRange   = 8  // blocks per request, unless Options.RoundTo or Chunks require more
	maxStreams = 16 // requests of one reader at a time
)

// firstStreams are opened when the client first has to wait: this costs only the requests, as the
// window is small then.
const firstStreams = 4

// claim waits until another range may be requested and makes it a fetch, with a context of its own;
// nil ends the fetcher. The window begins at the block being read, so that this block can always be
// requested.
func (r *reader) claim(ctx context.Context) (*fetch, context.Context) {
	f := r.file
	f.mu.Lock()
	defer f.mu.Unlock()
	for r.err == nil && r.failure == nil && r.active <= r.streams {
		if i, n := r.missing(); n > 0 {
			ctx, cancel := context.WithCancelCause(ctx)
			return r.startFetch(i, n, cancel), ctx
		}
		if r.claimed >= r.blocks {
			break
		}
		f.changed.Wait()
	}
	r.active--
	f.changed.Broadcast()
	return nil, nil
}

// startFetch makes n blocks from i a fetch of r. It will read those within its window from memory.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) startFetch(i, n int, cancel func(error)) *fetch {
	q := r.file.begin(i, n, cancel)
	r.fetches[q] = struct{}{}
	end := r.memoryEnd()
	for k, b := range q.blocks {
		if i+k < end {
			r.hold(i+k, b)
		}
	}
	r.claimed = max(r.claimed, i+n)
	return q
}

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
// space in the window, or to the end of a chunk.
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
	return min(max(r.window()/maxStreams, 1), maxRange, r.blocks-i)
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
	return r.inMemory(nil) >= f.share() || f.plan != nil && f.plan.crowded(r, q, i)
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

// prefetch starts a fetcher if there is something to fetch and no fetcher is active.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) prefetch() {
	if r.active > 0 || r.err != nil || r.failure != nil {
		return
	}
	if _, n := r.missing(); n > 0 {
		r.active++
		r.spawn(r.work)
	}
}

// A rampUp measures whether more streams help: it compares the rate with that of the previous
// number of streams.
type rampUp struct {
	began time.Time
	from  int     // the block being read when it began
	wait  int     // its length in blocks
	rate  float64 // blocks per second of the previous measurement; 0 = none
}

// addStreams adds streams when the client has to wait: it doubles their number as long as the last
// step made reading faster, and tries again from time to time.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) addStreams() {
	t := &r.rampUp
	head := r.file.index(r.pos)
	took := time.Since(t.began)
	if got := head - r.first - t.from; r.file.plan == nil && r.streams < maxStreams && got >= t.wait && took > 0 {
		rate := float64(got) / took.Seconds()
		from := head - r.first
		switch {
		case t.began.IsZero(): // the first block does not show the rate
			r.streams = firstStreams
			*t = rampUp{began: time.Now(), from: from, wait: r.streams}
		case rate >= 1.1*t.rate:
			r.streams *= 2
			*t = rampUp{began: time.Now(), from: from, wait: r.streams, rate: rate}
		default:
			*t = rampUp{began: time.Now(), from: from, wait: 16 * r.streams, rate: min(rate, t.rate) / 1.1}
		}
	}
	r.startFetchers()
}

// startFetchers starts fetchers up to the number of streams.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) startFetchers() {
	for r.active < r.streams && r.err == nil && r.failure == nil && r.claimed < r.blocks {
		r.active++
		r.spawn(r.work)
	}
}
