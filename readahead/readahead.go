// Package readahead reads files of a remote in ranges: several at a time, ahead of who reads, and,
// where it is given a store, through copies on the local disk.
//
//	readahead.go  the Tree, and how a file that is not kept is opened
//	through.go    how one is opened that is kept; ask.go the first request for it
//	chunks.go     in which requests a file is read, where that is told
//	checksum.go   what is read, compared with its checksum; verify.go what is held
//	changes.go    what is changed through the Tree
//	reader.go     a reader; window.go how far it reads ahead, limits.go with how much memory
//	file.go       a version of a file: its blocks and requests; copy.go what is held of it
//
// A file begins with one small range, for a quick first byte. The window runs ahead by twice what
// was taken, up to the memory that may be used: a client that breaks off after a megabyte has cost
// little more. Connections are added while the client waits and more of them make it faster. For a
// client that is faster than the remote twice as much is asked for: what is on its way takes no
// memory; where too much of it comes at once, all but the range that the client waits for is left
// on its way. Everything that one reader gets is of one version of the file.
//
// With a store, what has come is handed to the reader from memory and written to the copy at the
// same time; what the copy holds is not asked for again. Those who read one version of a file share
// its copy and the requests that are under way: no byte is asked for twice. A request ends when
// nobody wants the rest of it any more.
package readahead

import (
	"context"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"ferry/cache"
	"ferry/remote"
)

// Options say how a Tree reads. The zero value reads nothing ahead.
type Options struct {
	// Buffer is how many bytes of a file are read ahead at most; below 512 KiB nothing is, of a
	// file that is not kept on disk. MaxBuffer is how many of all files together; 0 = no limit.
	// When files are many each gets less, and none is refused.
	Buffer, MaxBuffer int64
	// Chunks say in which requests a file is read that is not kept; nil = as turns out to be
	// quickest.
	Chunks *Chunks
	// Checksums say when what was read is compared with the checksum that the remote tells.
	Checksums Checksums

	// Store keeps copies; nil = nothing is kept.
	Store *cache.Store
	// DiskAhead is how many bytes are read ahead onto the disk, besides those in memory.
	DiskAhead int64
	// RoundTo is what requests are rounded up to: they end at a multiple of it, and go on to there
	// when nobody reads the file any more. 0 = they are not. It is of use with a store only.
	RoundTo int64
	// FastFingerprint tells versions apart by size and time alone where the remote names none,
	// without asking for a hash.
	FastFingerprint bool

	Log *slog.Logger // nil: nothing is logged
}

// A Memory is a layer below that remembers what files the remote has. What tells the versions of a
// file apart is asked of it, and not waited for long: see breaker.WithoutWait.
type Memory interface {
	remote.Remote
	// Known returns what is remembered of name and counts, without asking anybody.
	Known(name string) (remote.Entry, bool)
	// Invalidate notes that name is not, or may not be, what was remembered of it.
	Invalidate(name string)
	// Direct returns the remote that is asked each time.
	Direct() remote.Remote
}

// A Tree is a remote whose files are read ahead. Its methods may be called concurrently.
//
// A remote that is as quick as a cache (Caps.Live) is read by its own readers, which may be
// *os.File.
type Tree struct {
	remote.Forward               // the layer below
	memory         Memory        // the same; nil where it remembers nothing
	direct         remote.Remote // the same without memory
	opt            Options
	limits         limits
	silent         atomic.Bool // the remote does not say what it sends
	noHash         atomic.Bool // the remote knows no hashes

	mu      sync.Mutex
	files   map[string]*file   // guarded by mu; the version of a name that is being read
	all     map[*file]struct{} // guarded by mu; all versions that are being read through copies
	asks    map[string]*asked  // guarded by mu; of names of which nothing is known
	running sync.WaitGroup     // requests
}

// New returns a Tree of r, which stays the caller's to close.
func New(r remote.Remote, o Options) *Tree {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	t := &Tree{
		Forward: remote.Forward{Remote: r}, direct: r, opt: o,
		files: map[string]*file{}, all: map[*file]struct{}{}, asks: map[string]*asked{},
	}
	t.limits.buffer, t.limits.total = o.Buffer, o.MaxBuffer
	if m, ok := r.(Memory); ok {
		t.memory, t.direct = m, m.Direct()
	}
	return t
}

// Close ends the requests that are under way and waits for them; readers are closed before. The
// layer below stays open.
func (t *Tree) Close() error {
	t.mu.Lock()
	all := slices.Collect(maps.Keys(t.all))
	t.mu.Unlock()
	for _, f := range all {
		f.mu.Lock()
		for _, b := range f.flying {
			b.from.cancel(fs.ErrClosed)
		}
		f.mu.Unlock()
	}
	t.running.Wait()
	return nil
}

// Open reads name from byte off on, n bytes or, with n < 0, to the end, as remote.Remote.Open does.
// What the copy of the file on disk holds, the reader's WriteTo sends without copying it. One that
// reads the whole file ends with remote.ErrDigest when that has another checksum than it should.
func (t *Tree) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	r, err := t.open(ctx, name, off, n)
	if err != nil || off != 0 || n >= 0 {
		return r, err
	}
	return t.checked(r, name), nil
}

func (t *Tree) open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	plan := t.opt.Chunks
	switch {
	case t.Info().Caps.Live || off < 0 || n == 0:
	case ctx.Err() != nil:
		return nil, &fs.PathError{Op: "open", Path: name, Err: context.Cause(ctx)}
	case t.opt.Store != nil:
		return t.openThrough(ctx, name, off, n)
	case n > 0 || t.silent.Load():
	case plan != nil && plan.Size > 0 || plan == nil && t.limits.buffer >= 2*blockSize:
		return t.openAhead(ctx, name, off)
	}
	return t.direct.Open(ctx, name, off, n)
}

// openAhead reads a file that is not kept. The first range is asked for at once: the remote says
// with it what it sends, so that no Stat is needed. A remote that does not say so is read in one
// request, for nobody would notice a change between two.
func (t *Tree) openAhead(ctx context.Context, name string, off int64) (io.ReadCloser, error) {
	openCtx, cancel := context.WithCancelCause(ctx)
	n, unit := t.opt.Chunks.blocks()
	first, err := t.direct.Open(openCtx, name, off, int64(n)*unit)
	if err != nil {
		cancel(err)
		return nil, err
	}
	e, known := remote.Describe(first)
	switch {
	case !known || e.Size < 0:
		first.Close()
		cancel(nil)
		t.silent.Store(true)
		return t.direct.Open(ctx, name, off, -1)
	case e.Size-off <= unit:
		return remote.TapReader(first, func(int64, error) {}, func(error) { cancel(nil) }), nil
	}
	f := t.newFile(name, e, off)
	f.unit, f.plan = unit, t.opt.Chunks
	f.users = 1
	r := f.newReader(ctx, off, e.Size)
	r.adopt(first, min(n, r.blocks), cancel)
	return r, nil
}
