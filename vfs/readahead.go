package vfs

import (
	"context"
	"io"
	"io/fs"
	"sync"
	"time"

	"ferry/remote"
)

// readAhead reads a file of a remote in ranges, several at a time, and hands the bytes out in order.
//
// It begins with one small range, for a quick first byte, and runs ahead by twice what the client has taken, up to the
// memory it may use: a client that breaks off after a megabyte has cost little more. It adds connections while the
// client waits and more of them make it faster. Every range must be of the content that the first one was of.
//
// For a client that is faster than the remote it asks for twice as much: what is on its way takes no memory. Where too
// much of it comes at once, all but the range that the client waits for is left on its way.
//
// One goroutine reads and closes.
type readAhead struct {
	// constant
	open   func(ctx context.Context, off, n int64) (io.ReadCloser, error)
	name   string
	entry  remote.Entry // the content that is read
	start  int64        // where the first block begins
	blocks int          // from there to the end of the file
	limits *readLimits
	cancel context.CancelCauseFunc
	detach func() bool
	spawn  func()         // starts a fetcher
	done   sync.WaitGroup // fetchers

	mu      sync.Mutex
	changed sync.Cond // of anything below

	queue   []*block // guarded by mu; from the one that is read on; nil where nothing has come yet
	head    int      // guarded by mu; the number of queue[0]
	taken   int      // guarded by mu; bytes of queue[0] that are handed out
	kept    int      // guarded by mu; blocks in memory
	waited  int      // guarded by mu; the head when the client last had to wait
	claimed int      // guarded by mu; the first block that no fetcher has taken on
	active  int      // guarded by mu; fetchers
	streams int      // guarded by mu; how many there may be
	trial   trial    // guarded by mu
	err     error    // guarded by mu; why it ended before its time
}

// A block is the unit of memory.
type block struct {
	n    int // bytes that have come; guarded by readAhead.mu
	data [blockSize]byte
}

const (
	blockSize  = 256 << 10
	maxRange   = 8  // blocks that one request asks for
	maxStreams = 16 // requests at a time
)

// firstStreams are opened when the client waits for the first time: that costs nothing but the requests, as the window is
// small then.
const firstStreams = 4

var blockPool = sync.Pool{New: func() any { return new(block) }}

// trial tells whether more streams help: the rate of the last number of streams against that of fewer.
type trial struct {
	began time.Time
	from  int     // the head when it began
	wait  int     // how many blocks it takes
	rate  float64 // blocks per second in the trial before; 0 = there was none
}

// newReadAhead reads on from first, which gives the first range, one block long, of what entry describes.
func newReadAhead(ctx context.Context, name string, first io.ReadCloser, entry remote.Entry, off int64, limits *readLimits,
	open func(ctx context.Context, off, n int64) (io.ReadCloser, error)) *readAhead {
	blocks := int((entry.Size - off + blockSize - 1) / blockSize)
	a := &readAhead{
		open: open, name: name, entry: entry, start: off, blocks: blocks, limits: limits,
		claimed: 1, active: 1, streams: 1,
	}
	a.changed.L = &a.mu
	ctx, a.cancel = context.WithCancelCause(ctx)
	a.detach = context.AfterFunc(ctx, func() { a.end(context.Cause(ctx)) })
	a.spawn = func() { a.done.Go(func() { a.fetch(ctx) }) }
	limits.join()
	a.done.Go(func() {
		a.receive(first, 0, 1)
		a.fetch(ctx)
	})
	return a
}

// fetch takes on ranges until there is nothing left to do.
func (a *readAhead) fetch(ctx context.Context) {
	for {
		first, n := a.claim()
		if n == 0 {
			return
		}
		off := a.start + int64(first)*blockSize
		rc, err := a.open(ctx, off, min(int64(n)*blockSize, a.entry.Size-off))
		if err != nil {
			a.end(err)
			continue
		}
		if e, known := remote.Describe(rc); known && !remote.SameContent(e, a.entry) {
			rc.Close()
			a.end(errChanged(a.name))
			continue
		}
		a.receive(rc, first, n)
	}
}

func errChanged(name string) error {
	return refuse("read", name, remote.ErrChanged, "The file was changed while it was read; read it again.")
}

// claim waits until another range may be asked for and returns its first block and how many there are; 0 ends the
// fetcher. The window begins at the block that is read, so that this one always may.
func (a *readAhead) claim() (first, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.err == nil && a.claimed < a.blocks && a.active <= a.streams && a.claimed+a.rangeSize() > a.head+a.window() {
		a.changed.Wait()
	}
	if a.err != nil || a.claimed >= a.blocks || a.active > a.streams {
		a.active--
		return 0, 0
	}
	first, n = a.claimed, a.rangeSize()
	a.claimed += n
	return first, n
}

// window is how many blocks may be in memory or on their way.
// LOCKS_REQUIRED(a.mu)
func (a *readAhead) window() int {
	share := a.limits.share()
	if a.head-a.waited < share/2 {
		share *= 2
	}
	return min(2+2*a.head, share)
}

// rangeSize is how many blocks the next request asks for: as many as let all streams find room in the window.
// LOCKS_REQUIRED(a.mu)
func (a *readAhead) rangeSize() int {
	return min(max(a.window()/maxStreams, 1), maxRange, a.blocks-a.claimed)
}

// receive takes n blocks from rc, the first of which has that number.
func (a *readAhead) receive(rc io.ReadCloser, first, n int) {
	defer rc.Close()
	for i := first; i < first+n; i++ {
		want := int(min(blockSize, a.entry.Size-a.start-int64(i)*blockSize))
		b := a.place(i)
		if b == nil {
			return
		}
		for got := 0; got < want; {
			m, err := rc.Read(b.data[got:want])
			got += m
			if !a.arrived(b, got) {
				return
			}
			if err == io.EOF && got < want {
				err = io.ErrUnexpectedEOF
			}
			if err != nil && err != io.EOF {
				a.end(err)
				return
			}
		}
	}
}

// place waits for memory for block i, or returns nil when nobody wants it any more. The block that is read always has it.
func (a *readAhead) place(i int) *block {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.err == nil && i > a.head && a.kept >= a.limits.share() {
		a.changed.Wait()
	}
	if a.err != nil {
		return nil
	}
	b := blockPool.Get().(*block)
	b.n = 0
	a.kept++
	for len(a.queue) <= i-a.head {
		a.queue = append(a.queue, nil)
	}
	a.queue[i-a.head] = b
	return b
}

// arrived notes that the first n bytes of b have come, and reports whether somebody still wants them.
func (a *readAhead) arrived(b *block, n int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	b.n = n
	a.changed.Broadcast()
	return a.err == nil
}

// end makes every Read fail with err, and ends the requests.
func (a *readAhead) end(err error) {
	a.mu.Lock()
	if a.err == nil {
		a.err = err
	}
	a.changed.Broadcast()
	a.mu.Unlock()
	a.cancel(err)
}

// next waits for bytes and returns those of the block that is read; io.EOF is the end of the file.
func (a *readAhead) next() ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for waited := false; ; waited = true {
		if a.head >= a.blocks {
			return nil, io.EOF
		}
		if len(a.queue) > 0 && a.queue[0] != nil && a.queue[0].n > a.taken {
			b := a.queue[0]
			return b.data[a.taken:b.n], nil
		}
		if a.err != nil {
			return nil, a.err
		}
		a.waited = a.head
		if !waited {
			a.hurry()
		}
		a.changed.Wait()
	}
}

// advance notes that n of the bytes that next returned are used up. A block that is used up goes back to the pool: its
// fetcher has left it, because it is full.
func (a *readAhead) advance(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.taken += n
	if a.start+int64(a.head)*blockSize+int64(a.taken) < a.entry.Size && a.taken < blockSize {
		return
	}
	blockPool.Put(a.queue[0])
	a.queue = a.queue[1:]
	a.head++
	a.kept--
	a.taken = 0
	a.changed.Broadcast()
}

// hurry adds streams when the client has to wait: their number is doubled for as long as the last step has made reading
// faster, and every now and then to see whether it does by now.
// LOCKS_REQUIRED(a.mu)
func (a *readAhead) hurry() {
	t := &a.trial
	took := time.Since(t.began)
	if got := a.head - t.from; a.streams < maxStreams && got >= t.wait && took > 0 {
		rate := float64(got) / took.Seconds()
		switch {
		case t.began.IsZero(): // the first block says nothing about the rate
			a.streams = firstStreams
			*t = trial{began: time.Now(), from: a.head, wait: a.streams}
		case rate >= 1.1*t.rate:
			a.streams *= 2
			*t = trial{began: time.Now(), from: a.head, wait: a.streams, rate: rate}
		default:
			*t = trial{began: time.Now(), from: a.head, wait: 16 * a.streams, rate: min(rate, t.rate) / 1.1}
		}
	}
	for a.active < a.streams && a.claimed < a.blocks {
		a.active++
		a.spawn()
	}
}

// Read implements io.Reader.
func (a *readAhead) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	b, err := a.next()
	if err != nil {
		return 0, err
	}
	n := copy(p, b)
	a.advance(n)
	return n, nil
}

// WriteTo implements io.WriterTo: the bytes are written from where they arrived.
func (a *readAhead) WriteTo(w io.Writer) (total int64, err error) {
	for {
		b, err := a.next()
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
		n, err := w.Write(b)
		total += int64(n)
		a.advance(n)
		if err != nil {
			return total, err
		}
	}
}

// Close ends the requests under way and waits for them. It is called once, when nobody reads any more.
func (a *readAhead) Close() error {
	a.detach()
	a.end(fs.ErrClosed)
	a.done.Wait()
	a.limits.leave()
	for _, b := range a.queue {
		if b != nil {
			blockPool.Put(b)
		}
	}
	a.queue = nil
	return nil
}

// Described implements remote.Described.
func (a *readAhead) Described() (remote.Entry, bool) { return a.entry, true }
