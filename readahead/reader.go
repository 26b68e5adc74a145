package readahead

import (
	"context"
	"io"
	"io/fs"

	"ferry/cache"
	"ferry/remote"
)

// A reader reads one range of a file. It is used by one goroutine.
type reader struct {
	// constant
	file   *file
	entry  remote.Entry
	first  int   // the block that contains its first byte
	blocks int   // the first block after its range
	end    int64 // the offset after its range
	wanted int64 // bytes of memory that it would use
	detach func() bool
	ended  func() error                        // cause of the end of Open's context; nil = it has not ended
	spawn  func(run func(ctx context.Context)) // starts a fetcher, with a context that outlives the reader

	// used by the reading goroutine only
	sender *cache.Sender // sends from the copy; created when needed
	opened cache.State   // of the copy, if it had the first byte

	// guarded by file.mu
	pos     int64
	slots   map[int]*block // blocks that it uses, or will use
	claimed int            // the first block that it has neither requested nor found
	waited  int            // the block being read when the client last had to wait
	active  int            // fetchers
	streams int            // maximum of active
	fetches map[*fetch]struct{}
	rampUp  rampUp
	failure error // of a request: it makes no further ones
	err     error // why it has ended
}

// maxSend is how many bytes of the copy are sent at once; they cannot be evicted meanwhile.
const maxSend = 4 << 20

// newReader returns a reader of the bytes of f from off to end. It takes over the caller's use of
// f.
func (f *file) newReader(ctx context.Context, off, end int64) *reader {
	r := &reader{
		file: f, entry: f.entry, first: f.index(off), blocks: f.blocksTo(end), end: end, pos: off,
		slots: map[int]*block{}, fetches: map[*fetch]struct{}{}, streams: 1,
	}
	r.claimed, r.waited = r.first, r.first
	if f.plan != nil {
		r.streams = max(f.plan.Streams, 1)
	}
	r.wanted = max(min(f.wanted(), end-off), blockSize)
	f.tree.budget.AddReader(r.wanted)
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

// stop makes every Read fail with err, and cancels the requests that no other reader needs.
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

// next waits for the byte at r.pos and returns the bytes from there: in memory, or, without memory,
// the number of bytes that the copy has. io.EOF is the end.
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
		if p, held, err := r.available(); p != nil || held > 0 || err != nil {
			r.prefetch()
			return p, held, err
		}
		r.prefetch()
		r.waited = f.index(r.pos)
		if !waited {
			r.addStreams()
			r.wakeIdle() // the window is larger now
		}
		f.await(r.waited)
	}
}

// available returns the received bytes of the block being read.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) available() (p []byte, held int64, err error) {
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
	case b == nil && f.plan == nil && r.claimed > i: // it was in the copy, and has been evicted
		r.claimed = i
		f.changed.Broadcast() // wakes idle fetchers
		return nil, 0, nil
	case b == nil:
		return nil, 0, nil
	case b.n > at:
		return b.data[at:min(int64(b.n), r.end-off)], 0, nil
	}
	return nil, 0, b.err
}

// advance records that n bytes were consumed. Requests that wait for memory or for the window wake
// if there is any for them.
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
		r.releaseBlock(head)
	}
	if f.crowds > 0 {
		f.changed.Broadcast()
	} else {
		r.wakeIdle()
	}
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

// WriteTo implements io.WriterTo: bytes are written from the receive buffers, or sent from the
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

// Close cancels the requests that no other reader needs, and waits for their end. It is called
// once, after the last Read.
func (r *reader) Close() error {
	r.detach()
	f := r.file
	f.mu.Lock()
	r.stop(fs.ErrClosed)
	for r.active > r.shared() {
		f.changed.Wait()
	}
	for i, b := range r.slots {
		delete(r.slots, i)
		f.unref(b)
	}
	f.mu.Unlock()
	f.tree.budget.RemoveReader(r.wanted)
	if r.sender != nil {
		r.sender.Close() // it was only read
	}
	f.tree.release(f)
	return nil
}

// shared returns how many requests of r other readers need.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) shared() int {
	n := 0
	for q := range r.fetches {
		if !q.over {
			n++
		}
	}
	return n
}

// Described implements remote.Described. The Digest of a verified copy is omitted, so that the
// kernel may send the copy without this process reading it.
func (r *reader) Described() (remote.Entry, bool) { return r.entry, true }

// FileSize returns the size of the file, for who shows how much of it was read.
func (r *reader) FileSize() int64 { return r.entry.Size }

// verified records that everything that was read had the right checksum.
func (r *reader) verified() {
	if r.opened.Whole {
		r.file.copy.SetVerified(r.opened)
	}
}
