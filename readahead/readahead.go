// Package readahead reads files of a remote in ranges: several at a time, ahead of who reads, and,
// where it is given a store, through copies on the local disk.
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
	// Limits bounds the memory. With less than 512 KiB for a reader, nothing is read ahead of a
	// file that is not kept on disk.
	Limits *Limits

	// Store keeps copies; nil = nothing is kept.
	Store *cache.Store
	// DiskAhead is how many bytes are read ahead onto the disk, besides those in memory.
	DiskAhead int64
	// Chunk is what requests are rounded up to: they end at a multiple of it, and go on to there
	// when nobody reads the file any more. 0 = they are not. It is of use with a store only.
	Chunk int64
	// FastFingerprint tells versions apart by size and time alone where the remote names none,
	// without asking for a hash.
	FastFingerprint bool

	// Compare reports whether what a copy holds is compared with e.Digest; nil = where that is
	// cheap.
	Compare func(e remote.Entry) bool

	// Known returns what is known of a name without asking anybody; nil = nothing is.
	Known func(name string) (remote.Entry, bool)
	// Stat describes a name of which something is held; nil = the remote does. When it fails, that
	// is read.
	Stat func(ctx context.Context, name string) (remote.Entry, error)
	// Hash returns a digest of a file, as remote.Hash does; nil = the remote is asked.
	Hash func(ctx context.Context, name, algorithm string) ([]byte, error)
	// Changed is told of a file that is not the one any more that Known or Stat described. nil =
	// nobody is told.
	Changed func(name string)

	Log *slog.Logger // nil: nothing is logged
}

// A Tree reads the files of one remote. It may be used by several goroutines.
type Tree struct {
	remote remote.Remote
	opt    Options
	limits *Limits
	silent atomic.Bool // the remote does not say what it sends
	noHash atomic.Bool // the remote knows no hashes

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
	if o.Stat == nil {
		o.Stat = r.Stat
	}
	if o.Hash == nil {
		o.Hash = func(ctx context.Context, name, algorithm string) ([]byte, error) {
			return remote.Hash(ctx, r, name, algorithm)
		}
	}
	if o.Compare == nil {
		o.Compare = func(e remote.Entry) bool { return e.Digest.Cheap(e.Size) }
	}
	if o.Limits == nil {
		o.Limits = NewLimits(0, 0)
	}
	t := &Tree{remote: r, opt: o, limits: o.Limits, files: map[string]*file{}, all: map[*file]struct{}{}, asks: map[string]*asked{}}
	return t
}

// Close ends the requests that are under way and waits for them; readers are closed before.
func (t *Tree) Close() {
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
}

// Open reads name from byte off on, n bytes or, with n < 0, to the end, as remote.Remote.Open does.
// What the copy of the file on disk holds, the reader's WriteTo sends without copying it.
//
// A remote that is as quick as a cache is read by its own reader, which may be an *os.File.
func (t *Tree) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	switch {
	case t.remote.Info().Caps.Live || off < 0 || n == 0:
		return t.remote.Open(ctx, name, off, n)
	case ctx.Err() != nil:
		return nil, &fs.PathError{Op: "open", Path: name, Err: context.Cause(ctx)}
	case t.opt.Store != nil:
		return t.openThrough(ctx, name, off, n)
	case n > 0 || t.limits.buffer < 2*blockSize || t.silent.Load():
		return t.remote.Open(ctx, name, off, n)
	}
	return t.openAhead(ctx, name, off)
}

// openAhead reads a file that is not kept. The first range is asked for at once: the remote says
// with it what it sends, so that no Stat is needed. A remote that does not say so is read in one
// request, for nobody would notice a change between two.
func (t *Tree) openAhead(ctx context.Context, name string, off int64) (io.ReadCloser, error) {
	openCtx, cancel := context.WithCancelCause(ctx)
	first, err := t.remote.Open(openCtx, name, off, blockSize)
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
		return t.remote.Open(ctx, name, off, -1)
	case e.Size-off <= blockSize:
		return remote.TapReader(first, func(int64, error) {}, func(error) { cancel(nil) }), nil
	}
	f := t.newFile(name, e, off)
	f.users = 1
	r := f.newReader(ctx, off, e.Size)
	r.adopt(first, 1, cancel)
	return r, nil
}
