package vfs

import (
	"context"
	"io"
	"io/fs"
	"sync"

	"ferry/readahead"
	"ferry/remote"
)

// Chunks say in which requests a file is read, instead of what package readahead would find out to
// be best.
type Chunks struct {
	// Size is how many bytes the first request asks for; 0 or less is the rest of the file.
	Size int64
	// Limit is up to which size each request asks for twice as much as the one before; below 0
	// there is no limit. One that is not larger than Size means that all ask for Size.
	Limit int64
	// Streams is how many requests for Size there are at a time. Each is read ahead to its end,
	// within MaxReadBuffer. 0 is one request after the other, read ahead by ReadBuffer.
	Streams int
}

// after returns the size of the request that follows one for size.
func (p Chunks) after(size int64) int64 {
	switch {
	case p.Streams > 0 || p.Limit >= 0 && p.Limit <= p.Size:
		return size
	case p.Limit >= 0:
		return min(2*size, p.Limit)
	}
	return 2 * size
}

// chunked reads a file of a remote as Chunks say, and hands the bytes out in order. Lane i of n
// takes on the chunks i, i+n, i+2n... one after the other, and keeps what has come until it is
// read. Every chunk must be of the content that the first one was of.
//
// One goroutine reads and closes.
type chunked struct {
	// constant
	open   func(ctx context.Context, off, n int64) (io.ReadCloser, error)
	name   string
	entry  remote.Entry // the content that is read
	plan   Chunks
	limits *readahead.Limits
	lanes  []lane
	cancel context.CancelCauseFunc
	detach func() bool
	done   sync.WaitGroup

	// of the goroutine that reads
	at   int64 // the next byte
	lane int   // that has it
	left int64 // bytes until the next lane has its turn

	mu      sync.Mutex
	changed sync.Cond // of anything below
	err     error     // guarded by mu; why it ended before its time
}

// A lane is what has come of the chunks of one fetcher and is not read yet.
type lane struct {
	pieces []*piece // guarded by chunked.mu
}

// A piece is the unit of memory.
type piece struct {
	n, taken int  // bytes that have come, and that are read; guarded by chunked.mu
	whole    bool // no more will come; guarded by chunked.mu
	data     [pieceSize]byte
}

const pieceSize = 256 << 10

var piecePool = sync.Pool{New: func() any { return new(piece) }}

// openChunked opens a file to be read in chunks. One of which the remote does not say what it is is
// read in one request.
func (f *FS) openChunked(ctx context.Context, name string, off int64, plan Chunks) (io.ReadCloser, error) {
	open := func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
		return f.remote.Open(ctx, name, off, n)
	}
	if plan.Size <= 0 || f.silent.Load() {
		return open(ctx, off, -1)
	}
	first, err := open(ctx, off, plan.Size)
	if err != nil {
		return nil, err
	}
	e, known := remote.Describe(first)
	switch {
	case !known || e.Size < 0:
		first.Close()
		f.silent.Store(true)
		return open(ctx, off, -1)
	case off >= e.Size:
		return first, nil
	}
	return newChunked(ctx, name, first, e, off, plan, f.limits, open), nil
}

// newChunked reads on from first, which gives the first chunk of what entry describes.
func newChunked(ctx context.Context, name string, first io.ReadCloser, entry remote.Entry, off int64, plan Chunks, limits *readahead.Limits,
	open func(ctx context.Context, off, n int64) (io.ReadCloser, error)) *chunked {
	c := &chunked{open: open, name: name, entry: entry, plan: plan, limits: limits, at: off, left: plan.Size}
	c.changed.L = &c.mu
	ctx, c.cancel = context.WithCancelCause(ctx)
	c.detach = context.AfterFunc(ctx, func() { c.end(context.Cause(ctx)) })
	limits.Join()
	chunks := (entry.Size - off + plan.Size - 1) / plan.Size
	c.lanes = make([]lane, min(int64(max(plan.Streams, 1)), chunks))
	for i := range c.lanes {
		begin, rc := off+int64(i)*plan.Size, first
		if i > 0 {
			rc = nil
		}
		c.done.Go(func() { c.fetch(ctx, &c.lanes[i], rc, begin) })
	}
	return c
}

// fetch takes on the chunks of a lane from off on, the first from rc unless it is nil.
func (c *chunked) fetch(ctx context.Context, l *lane, rc io.ReadCloser, off int64) {
	for size := c.plan.Size; off < c.entry.Size; {
		n := min(size, c.entry.Size-off)
		if rc == nil {
			var err error
			if rc, err = c.ask(ctx, off, n); err != nil {
				c.end(err)
				return
			}
		}
		err := c.receive(l, rc, n)
		rc.Close()
		if err != nil {
			c.end(err)
			return
		}
		rc = nil
		off += size * int64(len(c.lanes))
		size = c.plan.after(size)
	}
}

// ask opens a range, and makes sure that it is of the same content.
func (c *chunked) ask(ctx context.Context, off, n int64) (io.ReadCloser, error) {
	rc, err := c.open(ctx, off, n)
	if err != nil {
		return nil, err
	}
	if e, known := remote.Describe(rc); known && !remote.SameContent(e, c.entry) {
		rc.Close()
		return nil, errChanged(c.name)
	}
	return rc, nil
}

// receive takes n bytes from rc.
func (c *chunked) receive(l *lane, rc io.Reader, n int64) error {
	for n > 0 {
		p, err := c.room(l)
		if err != nil {
			return err
		}
		want := int(min(n, pieceSize))
		for got := 0; got < want; {
			m, err := rc.Read(p.data[got:want])
			got += m
			if err == io.EOF && got < want {
				err = io.ErrUnexpectedEOF
			}
			if err == io.EOF {
				err = nil
			}
			if stop := c.arrived(p, got, got == want); err == nil {
				err = stop
			}
			if err != nil {
				return err
			}
		}
		n -= int64(want)
	}
	return nil
}

// room waits until the lane may hold another piece and adds it.
func (c *chunked) room(l *lane) (*piece, error) {
	p := piecePool.Get().(*piece)
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.err == nil && len(l.pieces) >= c.share() {
		c.changed.Wait()
	}
	if c.err != nil {
		piecePool.Put(p)
		return nil, c.err
	}
	p.n, p.taken, p.whole = 0, 0, false
	l.pieces = append(l.pieces, p)
	return p, nil
}

// share is how many pieces a lane may hold: one at least.
func (c *chunked) share() int {
	bytes := c.limits.Buffer()
	if c.plan.Streams > 0 {
		bytes = c.plan.Size
	}
	if each := c.limits.Each(); each > 0 {
		bytes = min(bytes, each/int64(len(c.lanes)))
	}
	return int(max(bytes/pieceSize, 1))
}

// arrived notes that the first n bytes of p have come, and returns why nobody wants more.
func (c *chunked) arrived(p *piece, n int, whole bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	p.n, p.whole = n, whole
	c.changed.Broadcast()
	return c.err
}

// end makes every Read fail with err, and ends the requests.
func (c *chunked) end(err error) {
	c.mu.Lock()
	if c.err == nil {
		c.err = err
	}
	c.changed.Broadcast()
	c.mu.Unlock()
	c.cancel(err)
}

// next waits for bytes and returns them; io.EOF is the end of the file.
func (c *chunked) next() ([]byte, error) {
	if c.at >= c.entry.Size {
		return nil, io.EOF
	}
	l := &c.lanes[c.lane]
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if len(l.pieces) > 0 && l.pieces[0].n > l.pieces[0].taken {
			p := l.pieces[0]
			return p.data[p.taken:p.n], nil
		}
		if c.err != nil {
			return nil, c.err
		}
		c.changed.Wait()
	}
}

// advance notes that n of the bytes that next returned are read.
func (c *chunked) advance(n int) {
	c.at += int64(n)
	l := &c.lanes[c.lane]
	c.mu.Lock()
	defer c.mu.Unlock()
	p := l.pieces[0]
	p.taken += n
	if p.whole && p.taken == p.n {
		l.pieces = l.pieces[1:]
		piecePool.Put(p)
		c.changed.Broadcast()
	}
	if c.left -= int64(n); c.left == 0 && c.plan.Streams > 0 {
		c.lane = (c.lane + 1) % len(c.lanes)
		c.left = c.plan.Size
	}
}

// Read implements io.Reader.
func (c *chunked) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	b, err := c.next()
	if err != nil {
		return 0, err
	}
	n := copy(p, b)
	c.advance(n)
	return n, nil
}

// WriteTo implements io.WriterTo: the bytes are written from where they arrived.
func (c *chunked) WriteTo(w io.Writer) (total int64, err error) {
	for {
		b, err := c.next()
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
		n, err := w.Write(b)
		total += int64(n)
		c.advance(n)
		if err != nil {
			return total, err
		}
	}
}

// Close ends the requests under way and waits for them. It is called once, when nobody reads any
// more.
func (c *chunked) Close() error {
	c.detach()
	c.end(fs.ErrClosed)
	c.done.Wait()
	c.limits.Leave()
	for i := range c.lanes {
		for _, p := range c.lanes[i].pieces {
			piecePool.Put(p)
		}
		c.lanes[i].pieces = nil
	}
	return nil
}

// Described implements remote.Described.
func (c *chunked) Described() (remote.Entry, bool) { return c.entry, true }
