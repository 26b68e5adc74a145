package readahead

import (
	"context"
	"time"
)

const (
	maxRange   = 8  // blocks that one request asks for, unless Options.RoundTo or Chunks say more
	maxStreams = 16 // requests of one reader at a time
)

// firstStreams are opened when the client waits for the first time: that costs nothing but the
// requests, as the window is small then.
const firstStreams = 4

// claim waits until another range may be asked for and makes it a fetch, with a context of its own;
// nil ends the fetcher. The window begins at the block that is read, so that this one always may.
func (r *reader) claim(ctx context.Context) (*fetch, context.Context) {
	f := r.file
	f.mu.Lock()
	defer f.mu.Unlock()
	for r.err == nil && r.failure == nil && r.active <= r.streams {
		if i, n := r.missing(); n > 0 {
			ctx, cancel := context.WithCancelCause(ctx)
			return r.ask(i, n, cancel), ctx
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

// ask makes n blocks from i on a fetch of r. Of these, it will read from memory what lies in its
// window.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) ask(i, n int, cancel func(error)) *fetch {
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

// window is how many blocks may be in memory or on their way. A client that has waited of late is
// faster than the remote: it has twice as many, as what is on its way takes no memory.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) window() int {
	if r.file.plan != nil {
		return r.blocks // what is on its way is bounded by streams
	}
	head := r.file.index(r.pos)
	share := r.file.share()
	if head-r.waited < share/2 {
		share *= 2
	}
	return min(2+2*(head-r.first), share)
}

// memoryEnd is the first block behind the window.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) memoryEnd() int {
	return min(r.file.index(r.pos)+r.window(), r.blocks)
}

// diskEnd is the first block behind what is read ahead onto the disk.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) diskEnd() int {
	end := r.memoryEnd()
	if r.file.copy != nil && !r.file.unkept {
		end += int(r.file.tree.opt.DiskAhead / blockSize)
	}
	return min(end, r.blocks)
}

// rangeSize is how many blocks a request for block i asks for: as many as let all streams find room
// in the window, or to the end of a chunk.
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

// missing looks after the blocks of the window, and returns the first that is neither there nor
// under way and how many of those behind it are to be asked for together with it; 0 when there is
// none, or no room for as many.
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
			return i, r.together(i, end)
		}
	}
	return 0, 0
}

// together returns how many blocks from i on, which is missing, make up one request; 0 when they go
// beyond end.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) together(i, end int) int {
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

// crowded reports whether q, of which block i comes now, has to wait until the reader that asked
// for it has room in memory. The block that is read has room at any time, what goes to the disk
// needs none, and others do not wait for this reader.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) crowded(q *fetch, i int) bool {
	f := r.file
	if !q.owned || q.over || i <= f.index(r.pos) || f.copy != nil && !f.unkept {
		return false
	}
	for _, b := range q.blocks {
		if b.wants > 1 && !b.whole {
			return false
		}
	}
	return r.inMemory(nil) >= f.share() || f.plan != nil && f.plan.crowded(r, q, i)
}

// inMemory is how many blocks r keeps there, of q only unless it is nil.
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

// shed gives up block i, which is on disk, when there are too many in memory: it is read from
// there.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) shed(i int) {
	if r.slots[i] != nil && i > r.file.index(r.pos) && r.inMemory(nil) > r.file.share() {
		r.letGo(i)
	}
}

// prefetch starts a fetcher when there is something to fetch and none that would.
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

// A trial tells whether more streams help: the rate of the last number of streams against that of
// fewer.
type trial struct {
	began time.Time
	from  int     // the block that was read when it began
	wait  int     // how many blocks it takes
	rate  float64 // blocks per second in the trial before; 0 = there was none
}

// hurry adds streams when the client has to wait: their number is doubled for as long as the last
// step has made reading faster, and every now and then to see whether it does by now.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) hurry() {
	t := &r.trial
	head := r.file.index(r.pos)
	took := time.Since(t.began)
	if got := head - r.first - t.from; r.file.plan == nil && r.streams < maxStreams && got >= t.wait && took > 0 {
		rate := float64(got) / took.Seconds()
		from := head - r.first
		switch {
		case t.began.IsZero(): // the first block says nothing about the rate
			r.streams = firstStreams
			*t = trial{began: time.Now(), from: from, wait: r.streams}
		case rate >= 1.1*t.rate:
			r.streams *= 2
			*t = trial{began: time.Now(), from: from, wait: r.streams, rate: rate}
		default:
			*t = trial{began: time.Now(), from: from, wait: 16 * r.streams, rate: min(rate, t.rate) / 1.1}
		}
	}
	r.startFetchers()
}

// startFetchers starts those that there may be besides the ones under way.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) startFetchers() {
	for r.active < r.streams && r.err == nil && r.failure == nil && r.claimed < r.blocks {
		r.active++
		r.spawn(r.work)
	}
}
