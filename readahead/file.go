package readahead

import (
	"context"
	"errors"
	"io"
	"sync"

	"ferry/cache"
	"ferry/remote"
)

// A block is the unit of memory and of what is kept on disk.
const blockSize = 256 << 10

type buffer [blockSize]byte

var buffers = sync.Pool{New: func() any { return new(buffer) }}

// A file is one version of a file that is being read, shared by all who read it.
type file struct {
	// constant
	tree  *Tree
	name  string
	entry remote.Entry
	base  int64   // where block 0 begins
	unit  int64   // how long a block is
	plan  *Chunks // in which requests it is read; nil = as is quickest
	print cache.Fingerprint

	verifying sync.Mutex // held while the copy is verified, before mu

	ready sync.Once
	copy  *cache.Copy // set by ready; nil = nothing is kept

	users int // guarded by Tree.mu; readers and fetchers

	mu      sync.Mutex
	changed sync.Cond      // of anything below, of the blocks, and of the readers
	flying  map[int]*block // guarded by mu; the blocks that are under way
	broken  bool           // guarded by mu; the copy cannot be used any more
	unkept  bool           // guarded by mu; a block could not be kept
}

// A block is bytes that have been asked for.
type block struct {
	data *buffer // set once, before n is more than 0
	// guarded by file.mu
	n     int   // bytes that have come
	whole bool  // all have come, and are on disk if they could be kept
	err   error // why no more will come
	refs  int   // who uses data: readers, and the fetch
	wants int   // readers that wait for it, or will
	from  *fetch
}

// A fetch is one request: for blocks that follow each other.
type fetch struct {
	cancel context.CancelCauseFunc
	// guarded by file.mu once it is under way
	first, n int
	blocks   []*block // of a file with a plan only the one that is to come, when there is memory for it
	owned    bool     // the reader that asked for it is still there
	over     bool
}

// errUnwanted ends a request whose bytes nobody wants any more.
var errUnwanted = errors.New("nobody wants it any more")

func (t *Tree) newFile(name string, e remote.Entry, base int64) *file {
	f := &file{tree: t, name: name, entry: e, base: base, unit: blockSize, flying: map[int]*block{}}
	f.changed.L = &f.mu
	return f
}

// span returns where block i begins and how long it is.
func (f *file) span(i int) (off, n int64) {
	off = f.base + int64(i)*f.unit
	return off, min(f.unit, f.entry.Size-off)
}

// index returns the block that off is in.
func (f *file) index(off int64) int { return int((off - f.base) / f.unit) }

// blocksTo returns the first block that does not begin before end.
func (f *file) blocksTo(end int64) int { return f.index(end + f.unit - 1) }

// held returns how many bytes from off on the copy holds without a gap.
// LOCKS_REQUIRED(f.mu)
func (f *file) held(off int64) int64 {
	if f.copy == nil || f.broken {
		return 0
	}
	return f.copy.Held(off)
}

// heldTo returns the first block from i on that the copy does not hold as a whole.
// LOCKS_REQUIRED(f.mu)
func (f *file) heldTo(i int) int {
	off, _ := f.span(i)
	end := off + f.held(off)
	if end >= f.entry.Size {
		return f.blocksTo(f.entry.Size)
	}
	return f.index(end)
}

// begin makes n blocks from i on a fetch.
// LOCKS_REQUIRED(f.mu)
func (f *file) begin(i, n int, cancel context.CancelCauseFunc) *fetch {
	q := &fetch{first: i, n: n, cancel: cancel, owned: true}
	for f.plan == nil && len(q.blocks) < n {
		f.add(q)
	}
	return q
}

// add makes the next block of q.
// LOCKS_REQUIRED(f.mu)
func (f *file) add(q *fetch) *block {
	b := &block{refs: 1, from: q}
	f.flying[q.first+len(q.blocks)] = b
	q.blocks = append(q.blocks, b)
	return b
}

// open makes the request.
func (f *file) open(ctx context.Context, q *fetch) (io.ReadCloser, error) {
	off, _ := f.span(q.first)
	end, n := f.span(q.first + q.n - 1)
	rc, err := f.tree.direct.Open(ctx, f.name, off, end+n-off)
	if err != nil {
		return nil, err
	}
	e, known := remote.Describe(rc)
	if !known && f.copy != nil {
		// What was opened before a look that finds the right version is of that version.
		e, err = f.tree.direct.Stat(ctx, f.name)
		known = true
	}
	if err == nil && known && !remote.SameContent(e, f.entry) {
		err = errChanged(f.name)
	}
	if err != nil {
		rc.Close()
		return nil, err
	}
	return rc, nil
}

// receive takes the blocks of q, which r asked for, from rc.
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
			if m > 0 && !f.arrived(q, b, got) {
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

// admit waits for memory for block i and returns it; nil means that nobody wants what is left of q.
func (r *reader) admit(q *fetch, i int) *block {
	f := r.file
	f.mu.Lock()
	defer f.mu.Unlock()
	for r.crowded(q, i) {
		f.changed.Wait()
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

// arrived notes that the first n bytes of b have come, and reports whether somebody still wants
// them.
func (f *file) arrived(q *fetch, b *block, n int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	b.n = n
	f.changed.Broadcast()
	return !q.over
}

// keep writes a block to the copy, if there is one and there is room, and reports whether it did.
func (f *file) keep(b *block, off, n int64) bool {
	f.mu.Lock()
	broken := f.broken
	f.mu.Unlock()
	if f.copy == nil || broken {
		return false
	}
	err := f.copy.WriteAt(b.data[:n], off)
	if err != nil && !errors.Is(err, cache.ErrNoSpace) {
		f.withoutCopy(err)
	}
	return err == nil
}

// withoutCopy goes on without a copy that cannot be used.
func (f *file) withoutCopy(err error) {
	f.mu.Lock()
	known := f.broken
	f.broken, f.unkept = true, true
	f.changed.Broadcast()
	f.mu.Unlock()
	if !known {
		f.tree.warn("the disk cache fails; reading without it", f.name, err)
		f.tree.forget(f.name)
	}
}

// complete notes that block i of q has come as a whole.
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
	f.unkept = f.unkept || !kept
	if kept {
		r.shed(i)
	}
	f.unref(b)
	f.changed.Broadcast()
}

// finish ends q; err is why not all of it came.
// LOCKS_REQUIRED(f.mu)
func (f *file) finish(q *fetch, err error) {
	q.over = true
	for i, b := range q.blocks {
		if b.whole {
			continue
		}
		if f.flying[q.first+i] == b {
			delete(f.flying, q.first+i)
		}
		b.err = err
		f.unref(b)
	}
	q.cancel(nil)
	f.changed.Broadcast()
}

// endUnwanted ends q when nobody wants what is left of it: nobody joins it any more.
// LOCKS_REQUIRED(f.mu)
func (f *file) endUnwanted(q *fetch) {
	if q.over || q.owned || f.rounded() {
		return
	}
	for _, b := range q.blocks {
		if b.wants > 0 && !b.whole {
			return
		}
	}
	q.over = true
	for i, b := range q.blocks {
		if f.flying[q.first+i] == b {
			delete(f.flying, q.first+i)
		}
	}
	q.cancel(errUnwanted)
}

// rounded reports whether requests go on to a multiple of Options.RoundTo.
// LOCKS_REQUIRED(f.mu)
func (f *file) rounded() bool { return f.tree.opt.RoundTo > 0 && f.copy != nil && !f.unkept }

// unref gives the memory of b back when nobody uses it any more.
// LOCKS_REQUIRED(f.mu)
func (f *file) unref(b *block) {
	b.refs--
	if b.refs == 0 && b.data != nil {
		buffers.Put(b.data)
		b.data = nil
	}
}
