package readahead

import (
	"context"
	"errors"
	"io"
	"sync"

	"ferry/cache"
	"ferry/remote"
)

// blockSize is the unit of memory and of the copies on disk.
const blockSize = 256 << 10

type buffer [blockSize]byte

var buffers = sync.Pool{New: func() any { return new(buffer) }}

// A file is one version of a file that is being read, shared by its readers.
type file struct {
	// constant
	tree  *Tree
	name  string
	entry remote.Entry
	base  int64   // offset of block 0
	unit  int64   // length of a block
	plan  *Chunks // the requests to make; nil = adaptive
	fp    cache.Fingerprint

	verifying sync.Mutex // held while the copy is verified, before mu

	ready sync.Once
	copy  *cache.Copy // set by ready; nil = no copy

	users int // guarded by Tree.mu; readers and fetchers

	mu      sync.Mutex
	changed sync.Cond      // of all fields below, of the blocks, and of the readers
	flying  map[int]*block // guarded by mu; blocks that were requested and have not arrived
	awaited map[int]int    // guarded by mu; readers that wait for bytes of a block, by its index
	crowds  int            // guarded by mu; requests that wait for memory
	broken  bool           // guarded by mu; the copy cannot be used any more
	notKept bool           // guarded by mu; a block could not be written to the copy
}

// A block is a requested block of a file.
type block struct {
	data *buffer // set once, before n is more than 0
	// guarded by file.mu
	n     int   // bytes received
	whole bool  // all bytes were received, and written to the copy if possible
	err   error // why no more bytes will come
	refs  int   // users of data: readers, and the fetch
	wants int   // readers that wait for it, or will
	from  *fetch
}

// A fetch is one request for consecutive blocks.
type fetch struct {
	cancel context.CancelCauseFunc
	// guarded by file.mu once it was started
	first, n int
	blocks   []*block // of a file with a plan, only the next one, when there is memory for it
	owned    bool     // the reader that made it is not closed
	over     bool
}

// errUnwanted cancels a request that no reader needs any more.
var errUnwanted = errors.New("nobody wants it any more")

func (t *Tree) newFile(name string, e remote.Entry, base int64) *file {
	f := &file{tree: t, name: name, entry: e, base: base, unit: blockSize,
		flying: map[int]*block{}, awaited: map[int]int{}}
	f.changed.L = &f.mu
	return f
}

// join returns the file of the version e, which the caller uses and releases.
func (t *Tree) join(name string, e remote.Entry, fp cache.Fingerprint) *file {
	t.mu.Lock()
	f := t.files[name]
	if f == nil || !f.fp.Equal(fp) {
		f = t.newFile(name, e, 0)
		f.fp = fp
		t.files[name] = f
		t.all[f] = struct{}{}
	}
	f.users++
	t.mu.Unlock()
	f.ready.Do(func() {
		c, err := t.opt.Store.Copy(name, fp)
		if err != nil {
			t.warn("the disk cache fails; reading without it", name, err)
			return
		}
		f.copy = c
	})
	return f
}

// hold adds a use of f for a caller that uses f already.
func (t *Tree) hold(f *file) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f.users++
}

// release ends a use of f.
func (t *Tree) release(f *file) {
	t.mu.Lock()
	f.users--
	last := f.users == 0
	if last {
		delete(t.all, f)
	}
	if last && t.files[f.name] == f {
		delete(t.files, f.name)
	}
	t.mu.Unlock()
	if last && f.copy != nil {
		if err := f.copy.Close(); err != nil {
			t.warn("the disk cache fails", f.name, err)
		}
	}
}

// markOutdated records that f is not the current version of its name any more.
func (t *Tree) markOutdated(f *file) {
	t.mu.Lock()
	if t.files[f.name] == f {
		delete(t.files, f.name)
	}
	t.mu.Unlock()
	if t.memory != nil {
		t.memory.Invalidate(f.name)
	}
}

// span returns the offset and the length of block i.
func (f *file) span(i int) (off, n int64) {
	off = f.base + int64(i)*f.unit
	return off, min(f.unit, f.entry.Size-off)
}

// index returns the block that contains off.
func (f *file) index(off int64) int { return int((off - f.base) / f.unit) }

// blocksTo returns the first block that does not begin before end.
func (f *file) blocksTo(end int64) int { return f.index(end + f.unit - 1) }

// held returns the number of bytes from off that the copy has without a gap.
// LOCKS_REQUIRED(f.mu)
func (f *file) held(off int64) int64 {
	if f.copy == nil || f.broken {
		return 0
	}
	return f.copy.Held(off)
}

// heldTo returns the first block from i that the copy does not have completely.
// LOCKS_REQUIRED(f.mu)
func (f *file) heldTo(i int) int {
	off, _ := f.span(i)
	end := off + f.held(off)
	if end >= f.entry.Size {
		return f.blocksTo(f.entry.Size)
	}
	return f.index(end)
}

// begin creates a fetch of n blocks from i.
// LOCKS_REQUIRED(f.mu)
func (f *file) begin(i, n int, cancel context.CancelCauseFunc) *fetch {
	q := &fetch{first: i, n: n, cancel: cancel, owned: true}
	for f.plan == nil && len(q.blocks) < n {
		f.add(q)
	}
	return q
}

// add creates the next block of q.
// LOCKS_REQUIRED(f.mu)
func (f *file) add(q *fetch) *block {
	b := &block{refs: 1, from: q}
	f.flying[q.first+len(q.blocks)] = b
	q.blocks = append(q.blocks, b)
	return b
}

// open makes the request of q.
func (f *file) open(ctx context.Context, q *fetch) (io.ReadCloser, error) {
	off, _ := f.span(q.first)
	end, n := f.span(q.first + q.n - 1)
	rc, err := f.tree.direct.Open(ctx, f.name, off, end+n-off)
	if err != nil {
		return nil, err
	}
	e, known := remote.Describe(rc)
	if !known && f.copy != nil {
		// Content opened before a Stat that returns the right version is of that version.
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

// arrived records that the first n bytes of b, block i, were received, and reports whether a reader
// still needs b. Only who waits for them wakes.
func (f *file) arrived(q *fetch, i int, b *block, n int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	b.n = n
	if f.awaited[i] > 0 {
		f.changed.Broadcast()
	}
	return !q.over
}

// await waits for bytes of block i, or for anything else that has changed.
// LOCKS_REQUIRED(f.mu)
func (f *file) await(i int) {
	f.awaited[i]++
	f.changed.Wait()
	if f.awaited[i]--; f.awaited[i] == 0 {
		delete(f.awaited, i)
	}
}

// finish ends q; err is the reason if it is incomplete.
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

// endUnwanted cancels q if no reader needs the rest of it; new readers do not join it any more.
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

// rounded reports whether requests end at a multiple of Options.RoundTo.
// LOCKS_REQUIRED(f.mu)
func (f *file) rounded() bool { return f.tree.opt.RoundTo > 0 && f.copy != nil && !f.notKept }

// unref releases the memory of b when it has no users.
// LOCKS_REQUIRED(f.mu)
func (f *file) unref(b *block) {
	b.refs--
	if b.refs == 0 && b.data != nil {
		buffers.Put(b.data)
		b.data = nil
	}
}
