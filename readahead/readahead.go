// Package readahead reads files of a remote in ranges: several at a time, ahead of the reader, and,
// if it has a store, through copies on the local disk. The files, in reading order:
//
//	readahead.go  the Tree, and opening a file without a copy
//	cached.go     opening a file through its copy; probe.go: the first request for it
//	verify.go     comparing a copy with its checksum; checksum.go: the same for what is read
//	changes.go    changes made through the Tree
//	reader.go     a reader; fetcher.go: its requests
//	window.go     how far it reads ahead; chunks.go: as prescribed; share.go: with how much memory
//	file.go       a version of a file: its users, blocks and requests; copy.go: its copy
//	error.go      errors with hints for the client
//
// A file begins with one small range, for a quick first byte. The window extends ahead by twice the
// consumed bytes, up to the memory limit: a client that breaks off after a megabyte has cost little
// more. Connections are added while the client has to wait and more of them make reading faster.
// For a client that is faster than the remote, twice as much is requested, as requested data takes
// no memory until it arrives; if too much of it arrives at once, all but the range that the client
// waits for is left in the network. All data of one reader is of one version of the file.
//
// With a store, received data is passed to the reader from memory and written to the copy at the
// same time; data in the copy is not requested again. Readers of one version of a file share its
// copy and the requests in progress: no byte is requested twice. A request is cancelled when no
// reader needs the rest of it any more.
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

	"ferry/budget"
	"ferry/cache"
	"ferry/remote"
)

// Options configure a Tree. The zero value reads nothing ahead.
type Options struct {
	// Buffer is how many bytes of a file are read ahead in memory; below 512 KiB nothing is read
	// ahead of a file without a copy. Budget bounds all files together, also those of other Trees
	// that have it; nil = no limit.
	Buffer int64
	Budget *budget.Budget
	// Chunks prescribe the requests for a file without a copy; nil = adaptive.
	Chunks *Chunks
	// Checksums select when content is compared with the checksum that the remote reports.
	Checksums Checksums

	// Store keeps copies; nil = no copies.
	Store *cache.Store
	// DiskAhead is how many bytes are read ahead to disk, besides those in memory.
	DiskAhead int64
	// RoundTo rounds requests up: they end at a multiple of it, and continue to there even after
	// the reader has gone. 0 = no rounding. It has an effect only with a Store.
	RoundTo int64
	// FastFingerprint distinguishes versions by size and time alone if the remote has no versions,
	// without a query for a hash.
	FastFingerprint bool

	Log *slog.Logger // nil: nothing is logged
}

// A Memory is a lower layer that caches the directories of the remote. Queries that only
// distinguish versions of a file do not wait for it long: see breaker.WithoutWait.
type Memory interface {
	remote.Remote
	// Known returns the cached entry of name if it is fresh, without a request.
	Known(name string) (remote.Entry, bool)
	// Invalidate expires the entry of name, which is or may be wrong.
	Invalidate(name string)
	// Direct returns the uncached remote.
	Direct() remote.Remote
}

// A Tree is a remote whose files are read ahead. Its methods may be called concurrently.
//
// A remote that is as fast as a cache (Caps.CheapStat) is read by its own readers, which may be
// *os.File.
type Tree struct {
	remote.Forward               // the layer below
	memory         Memory        // the same; nil if it caches nothing
	direct         remote.Remote // the same, uncached
	opt            Options
	budget         *budget.Budget
	noDescribe     atomic.Bool // the remote's readers are not Described
	noHash         atomic.Bool // the remote has no hashes
	hits, misses   atomic.Uint64

	mu      sync.Mutex
	files   map[string]*file   // guarded by mu; the current version of each name that is being read
	all     map[*file]struct{} // guarded by mu; all versions that are being read through copies
	probes  map[string]*probe  // guarded by mu; first requests of unknown names
	running sync.WaitGroup     // requests
}

// New returns a Tree over r, which the caller closes.
func New(r remote.Remote, o Options) *Tree {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	t := &Tree{
		Forward: remote.Forward{Remote: r}, direct: r, opt: o,
		files: map[string]*file{}, all: map[*file]struct{}{}, probes: map[string]*probe{},
	}
	if t.budget = o.Budget; t.budget == nil {
		t.budget = budget.New(0)
	}
	if m, ok := r.(Memory); ok {
		t.memory, t.direct = m, m.Direct()
	}
	return t
}

// Stats are numbers since the Tree was made.
type Stats struct {
	Hits, Misses uint64 // readers whose first byte was in the copy on disk, and others of files with copies
}

// Stats returns the numbers.
func (t *Tree) Stats() Stats { return Stats{t.hits.Load(), t.misses.Load()} }

// Close cancels requests in progress and waits for their end; readers must be closed before. The
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

// Open reads name from byte off, n bytes or, with n < 0, to the end, as remote.Remote.Open does.
// The reader's WriteTo sends data in the copy on disk without copying it. A reader of the whole
// file ends with remote.ErrDigest if the checksum is wrong.
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
	case t.Info().Caps.CheapStat || off < 0 || n == 0:
	case ctx.Err() != nil:
		return nil, &fs.PathError{Op: "open", Path: name, Err: context.Cause(ctx)}
	case t.opt.Store != nil:
		return t.openCached(ctx, name, off, n)
	case n > 0 || t.noDescribe.Load():
	case plan != nil && plan.Size > 0 || plan == nil && t.opt.Buffer >= 2*blockSize:
		return t.openAhead(ctx, name, off)
	}
	return t.direct.Open(ctx, name, off, n)
}

// openAhead reads a file without a copy. It requests the first range at once: if the response
// describes the file, no Stat is needed. If not, the file is read by one request, as a change
// between two would go unnoticed.
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
		t.noDescribe.Store(true)
		return t.direct.Open(ctx, name, off, -1)
	case e.Size-off <= unit:
		return remote.TapReader(first, func(int64, error) {}, func(error) { cancel(nil) }), nil
	}
	f := t.newFile(name, e, off)
	f.unit, f.plan = unit, t.opt.Chunks
	f.users = 1
	r := f.newReader(ctx, off, e.Size)
	r.attach(first, min(n, r.blocks), cancel)
	return r, nil
}
