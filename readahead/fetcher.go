package readahead

import (
	"context"
	"errors"
	"io"
	"time"

	"ferry/remote"
)

// attach makes rc the first request of a new reader: it returns n blocks from the first, which no
// other reader has requested.
func (r *reader) attach(rc io.ReadCloser, n int, cancel context.CancelCauseFunc) {
	r.file.mu.Lock()
	defer r.file.mu.Unlock()
	if r.err != nil {
		cancel(r.err)
		rc.Close()
		return
	}
	r.startFetcher(r.startFetch(r.first, n, cancel), rc)
	r.startFetchers()
}

// startFetcher starts a fetcher that begins with q, whose response is rc.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) startFetcher(q *fetch, rc io.ReadCloser) {
	r.active++
	r.spawn(func(ctx context.Context) {
		r.done(q, r.receive(q, rc))
		r.work(ctx)
	})
}

// startFetchers starts fetchers up to the number of streams.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) startFetchers() {
	for r.active < r.streams && r.err == nil && r.failure == nil && r.claimed < r.blocks {
		r.active++
		r.spawn(r.work)
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

// firstStreams are opened when the client first has to wait: this costs only the requests, as the
// window is small then.
const firstStreams = 4

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

// work makes requests until there is nothing to fetch.
func (r *reader) work(ctx context.Context) {
	for {
		q, ctx := r.claim(ctx)
		if q == nil {
			return
		}
		rc, err := r.file.open(ctx, q)
		if err == nil {
			err = r.receive(q, rc)
		}
		r.done(q, err)
	}
}

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

// wakeIdle wakes the fetchers that wait in claim if there is something to request, or nothing more.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) wakeIdle() {
	if r.err != nil || r.failure != nil {
		return
	}
	if _, n := r.missing(); n > 0 || r.claimed >= r.blocks {
		r.file.changed.Broadcast()
	}
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

// receive reads the blocks of q, a fetch of r, from rc.
func (r *reader) receive(q *fetch, rc io.ReadCloser) error {
	defer rc.Close()
	f := r.file
	for i, end := q.first, q.first+q.n; i < end; i++ {
		b := r.admit(q, i)
		if b == nil {
			return errUnwanted
		}
		off, n := f.span(i)
		for got := 0; got < int(n); {
			m, err := rc.Read(b.data[got:n])
			got += m
			if m > 0 && !f.arrived(q, i, b, got) {
				return errUnwanted
			}
			if err == io.EOF && got < int(n) {
				err = io.ErrUnexpectedEOF
			}
			if err != nil && err != io.EOF {
				return err
			}
		}
		r.complete(q, i, b, f.keep(b, off, n))
	}
	return nil
}

// admit waits for memory for block i and returns the block; nil means that no reader needs the rest
// of q.
func (r *reader) admit(q *fetch, i int) *block {
	f := r.file
	f.mu.Lock()
	defer f.mu.Unlock()
	for r.crowded(q, i) {
		f.crowds++
		f.changed.Wait()
		f.crowds--
	}
	f.endUnwanted(q)
	if q.over {
		return nil
	}
	if i-q.first == len(q.blocks) {
		r.hold(i, f.add(q))
	}
	b := q.blocks[i-q.first]
	b.data = buffers.Get().(*buffer)
	return b
}

// complete records that block i of q was received completely.
func (r *reader) complete(q *fetch, i int, b *block, kept bool) {
	f := r.file
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.flying[i] == b {
		delete(f.flying, i)
	}
	b.whole = true
	if f.plan != nil {
		q.first, q.n, q.blocks = i+1, q.n-1, nil
	}
	f.notKept = f.notKept || !kept
	if kept {
		r.releaseMemory(i)
	}
	f.unref(b)
	f.changed.Broadcast()
}

// done records that a request of r has ended.
func (r *reader) done(q *fetch, err error) {
	f := r.file
	if errors.Is(err, remote.ErrChanged) {
		f.tree.markOutdated(f)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil && r.failure == nil && !q.over {
		r.failure = err
	}
	delete(r.fetches, q)
	f.finish(q, err)
}
