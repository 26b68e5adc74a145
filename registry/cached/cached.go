// Package cached keeps what a remote says of its directories, and what is read of its files, on the
// local disk, over restarts (the remotes of type cache).
//
// Contents are kept in pieces that end at multiples of a chunk, in a cache.Store, which also bounds
// how much there is of them. A listing counts for a while, and is kept in a file of its own. What
// is changed through the remote changes both at once; what is changed behind its back shows when
// the listing is too old. While the remote cannot be reached, a listing that is too old is better
// than none.
package cached

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"ferry/budget"
	"ferry/cache"
	"ferry/disk"
	"ferry/readahead"
	"ferry/remote"
	"ferry/remote/wrap/intercept"
)

// Options say what is kept.
type Options struct {
	Dir       string        // where; no other process may use it
	ChunkSize int64         // what requests for content are rounded up to
	TotalSize int64         // bytes of content; 0 or less: no limit
	InfoAge   time.Duration // how long a listing counts

	// Buffer is how many bytes of a file are read ahead in memory at most, MaxBuffer how many of
	// all files together.
	Buffer, MaxBuffer int64

	Log *slog.Logger // nil: nothing is logged
}

// Remote is a remote whose listings and contents are kept.
type Remote struct {
	*intercept.Remote // around reads, for what is not remembered
	inner             remote.Remote
	disk              disk.Disk
	store             *cache.Store
	reads             *readahead.Tree
	listings          *listings
}

// New returns a decorator of r, which becomes its own to close. The error is cache.ErrInUse when
// another process uses the directory.
func New(r remote.Remote, o Options) (*Remote, error) {
	d, err := disk.Open(o.Dir)
	if err != nil {
		return nil, err
	}
	c, err := open(r, d, o)
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return c, nil
}

func open(r remote.Remote, d disk.Disk, o Options) (*Remote, error) {
	store, err := cache.Open(d, cache.Options{MaxSize: o.TotalSize})
	if err != nil {
		return nil, err
	}
	listings, err := newListings(d, o.InfoAge)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	c := &Remote{inner: r, disk: d, store: store, listings: listings}
	c.reads = readahead.New(&kept{slow{remote.Forward{Remote: r}}, c}, readahead.Options{
		Buffer: o.Buffer, Budget: budget.New(o.MaxBuffer), Checksums: readahead.ChecksumsHeld,
		Store: store, RoundTo: o.ChunkSize, Log: o.Log,
	})
	c.Remote = intercept.New(c.reads.Direct(), c.call)
	return c, nil
}

// slow is a remote that is worth a cache.
type slow struct{ remote.Forward }

func (s slow) Info() remote.Info {
	i := s.Forward.Info()
	i.Caps.CheapStat = false
	return i
}

// kept is a remote with what is kept of its listings: what is below its reader.
type kept struct {
	slow
	listed *Remote
}

// Stat implements remote.Remote.
func (k *kept) Stat(ctx context.Context, name string) (remote.Entry, error) {
	return k.listed.Stat(ctx, name)
}

// Known implements readahead.Memory.
func (k *kept) Known(name string) (remote.Entry, bool) { return k.listed.listings.known(name) }

// Invalidate implements readahead.Memory.
func (k *kept) Invalidate(name string) { k.listed.listings.drop(name) }

// Direct implements readahead.Memory.
func (k *kept) Direct() remote.Remote { return k.slow }

// Unwrap returns what is kept; what lies between is no remote of its own.
func (r *Remote) Unwrap() remote.Remote { return r.inner }

// Open implements remote.Remote.
func (r *Remote) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	return r.reads.Open(ctx, name, off, n)
}

// Run implements remote.Runner: it holds what is kept within its limit, that of earlier runs too.
func (r *Remote) Run(ctx context.Context) error { return r.store.Run(ctx) }

// Close implements remote.Remote.
func (r *Remote) Close() error {
	return errors.Join(r.reads.Close(), r.store.Close(), r.disk.Close(), r.inner.Close())
}
