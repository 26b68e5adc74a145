package readahead

import (
	"context"
	"errors"
	"io"
	"io/fs"

	"ferry/cache"
	"ferry/remote"
)

// A reader reads one file from one place on. One goroutine reads and closes.
type reader struct {
	// constant
	file   *file
	entry  remote.Entry
	first  int   // the block in which it begins
	blocks int   // the first block that it does not need
	end    int64 // the byte behind the last
	detach func() bool
	ended  func() error                        // why the context of Open is over; nil = it is not
	spawn  func(run func(ctx context.Context)) // starts a fetcher, with a context that outlives the reader

	// used by who reads only
	sender *cache.Sender // sends from the copy; nil until it is needed
	opened cache.State   // of the copy, where it held the first byte

	// guarded by file.mu
	pos     int64
	slots   map[int]*block // blocks that it uses, or will
	claimed int            // the first block that it has not looked after
	waited  int            // the block that was read when the client last had to wait
	active  int            // fetchers
	streams int            // how many there may be
	fetches map[*fetch]struct{}
	trial   trial
	failure error // of a request: it makes no more
	err     error // it has ended
}

// maxSend is how many bytes of the copy are sent at once; meanwhile they cannot be evicted.
const maxSend = 4 << 20

// newReader returns a reader of the bytes of f from off to end. It becomes a user of f instead of
// the caller.
func (f *file) newReader(ctx context.Context, off, end int64) *reader {
	r := &reader{
		file: f, entry: f.entry, first: f.index(off), blocks: f.blocksTo(end), end: end, pos: off,
		slots: map[int]*block{}, fetches: map[*fetch]struct{}{}, streams: 1,
	}
	r.claimed, r.waited = r.first, r.first
	if f.plan != nil {
		r.streams = max(f.plan.Streams, 1)
	}
	f.tree.limits.join()
	r.detach = context.AfterFunc(ctx, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		r.stop(context.Cause(ctx))
	})
	r.ended = func() error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return nil
	}
	base := context.WithoutCancel(ctx)
	r.spawn = func(run func(context.Context)) {
		f.tree.hold(f)
		f.tree.running.Go(func() {
			defer f.tree.release(f)
			run(base)
		})
	}
	return r
}

// adopt makes rc the first request of a new reader: it gives n blocks from the first on, which
// nobody else has asked for.
func (r *reader) adopt(rc io.ReadCloser, n int, cancel context.CancelCauseFunc) {
	r.file.mu.Lock()
	defer r.file.mu.Unlock()
	if r.err != nil {
		cancel(r.err)
		rc.Close()
		return
	}
	r.startFetcher(r.ask(r.first, n, cancel), rc)
	r.startFetchers()
}

// startFetcher starts a fetcher that begins with q, for which rc is the answer.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) startFetcher(q *fetch, rc io.ReadCloser) {
	r.active++
	r.spawn(func(ctx context.Context) {
		r.done(q, r.receive(q, rc))
		r.work(ctx)
	})
}

// work fetches what there is to fetch.
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

// done notes that a request of r has ended.
func (r *reader) done(q *fetch, err error) {
	f := r.file
	if errors.Is(err, remote.ErrChanged) {
		f.tree.outdated(f)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil && r.failure == nil && !q.over {
		r.failure = err
	}
	delete(r.fetches, q)
	f.finish(q, err)
}

// stop makes every Read fail with err, and ends the requests that nobody else wants.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) stop(err error) {
	if r.err != nil {
		return
	}
	r.err = err
	for q := range r.fetches {
		q.owned = false
	}
	for _, b := range r.slots {
		b.wants--
	}
	for _, b := range r.slots {
		r.file.endUnwanted(b.from)
	}
	for q := range r.fetches {
		r.file.endUnwanted(q)
	}
	r.file.changed.Broadcast()
}

// hold makes b, which is block i, one that r will read.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) hold(i int, b *block) {
	b.refs++
	b.wants++
	r.slots[i] = b
}

// next waits for the byte at r.pos and returns it with what follows: in memory, or, without memory,
// how many bytes the copy holds. io.EOF is the end.
func (r *reader) next() (p []byte, held int64, err error) {
	f := r.file
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := r.ended(); err != nil {
		r.stop(err)
	}
	for waited := false; ; waited = true {
		if r.pos >= r.end {
			return nil, 0, io.EOF
		}
		if r.err != nil {
			return nil, 0, r.err
		}
		if p, held, err := r.here(); p != nil || held > 0 || err != nil {
			r.prefetch()
			return p, held, err
		}
		r.prefetch()
		r.waited = f.index(r.pos)
		if !waited {
			r.hurry()
		}
		f.changed.Wait()
	}
}

// here returns what has come of the block that is read.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) here() (p []byte, held int64, err error) {
	f := r.file
	i := f.index(r.pos)
	off, _ := f.span(i)
	at := int(r.pos - off)
	b := r.slots[i]
	if b == nil {
		if held := min(f.held(r.pos), r.end-r.pos, maxSend); held > 0 {
			return nil, held, nil
		}
		if b = f.flying[i]; b != nil {
			r.hold(i, b)
		}
	}
	switch {
	case b == nil && r.failure != nil:
		return nil, 0, r.failure
	case b == nil && f.plan == nil && r.claimed > i: // it was there, and has been evicted
		r.claimed = i
		f.changed.Broadcast() // fetchers that saw nothing to do
		return nil, 0, nil
	case b == nil:
		return nil, 0, nil
	case b.n > at:
		return b.data[at:min(int64(b.n), r.end-off)], 0, nil
	}
	return nil, 0, b.err
}

// advance notes that n bytes are used up.
func (r *reader) advance(n int64) {
	if n == 0 {
		return
	}
	f := r.file
	f.mu.Lock()
	defer f.mu.Unlock()
	head := f.index(r.pos)
	r.pos += n
	next := f.index(r.pos)
	if r.pos >= r.end {
		next = r.blocks
	}
	if head == next {
		return
	}
	for ; head < next; head++ {
		r.letGo(head)
	}
	f.changed.Broadcast()
}

// letGo ends the use of block i, if r uses it.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) letGo(i int) {
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

// Read implements io.Reader.
func (r *reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		b, held, err := r.next()
		if err != nil {
			return 0, err
		}
		n := copy(p, b)
		if held > 0 {
			n = r.readCopy(p[:min(held, int64(len(p)))])
		}
		if n > 0 {
			r.advance(int64(n))
			return n, nil
		}
	}
}

// WriteTo implements io.WriterTo: the bytes are written from where they arrived, or sent from the
// copy.
func (r *reader) WriteTo(w io.Writer) (total int64, err error) {
	for {
		b, held, err := r.next()
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
		var n int64
		if held > 0 {
			n, err = r.sendCopy(w, held)
		} else {
			var m int
			m, err = w.Write(b)
			n = int64(m)
		}
		total += n
		r.advance(n)
		if err != nil {
			return total, err
		}
	}
}

// Close ends the requests that nobody else wants, and waits for them. It is called once, when
// nobody reads any more.
func (r *reader) Close() error {
	r.detach()
	f := r.file
	f.mu.Lock()
	r.stop(fs.ErrClosed)
	for r.active > r.lent() {
		f.changed.Wait()
	}
	for i, b := range r.slots {
		delete(r.slots, i)
		f.unref(b)
	}
	f.mu.Unlock()
	f.tree.limits.leave()
	if r.sender != nil {
		r.sender.Close() // it was only read from
	}
	f.tree.release(f)
	return nil
}

// lent is how many requests of r others want.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) lent() int {
	n := 0
	for q := range r.fetches {
		if !q.over {
			n++
		}
	}
	return n
}

// Described implements remote.Described. There is no Digest of a copy that has been compared with
// it, so that the kernel may send that without this process seeing it.
func (r *reader) Described() (remote.Entry, bool) { return r.entry, true }
