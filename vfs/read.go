package vfs

import (
	"context"
	"io"

	"ferry/breaker"
	"ferry/dircache"
	"ferry/readahead"
	"ferry/remote"
	"ferry/writeback"
)

// Open reads name from byte off on. The reader of a remote that is as quick as a cache is its own,
// which may be an *os.File; any other remote is read ahead.
func (v *View) Open(ctx context.Context, name string, off int64) (rc io.ReadCloser, err error) {
	ctx, w := v.fs.guard(ctx, breaker.ForLongQuery())
	defer w.Settle(&err)
	if off > 0 && v.fs.opt.NoSeek {
		return nil, refuse("open", name, remote.ErrUnsupported, hintNoSeek)
	}
	name = v.actual(ctx, name)
	r, err := v.fs.top.Open(ctx, name, off, -1)
	if err != nil {
		return nil, v.explain(ctx, "open", name, err, hintPart)
	}
	return v.fs.checked(r, name, off), nil
}

// openRemote is Open of the remote: through copies on the local disk in mode full, else read ahead
// where all of the rest is read.
func (f *FS) openRemote(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	if n < 0 && f.opt.Chunks != nil && !f.caps.Live && f.opt.Cache.Mode != writeback.Full {
		return f.openChunked(ctx, name, off, *f.opt.Chunks)
	}
	return f.reads.Open(ctx, name, off, n)
}

// readOptions say how the remote's files are read. names are those of the remote. What tells the
// versions of a file apart is not waited for long: where the remote does not answer, what is held
// on disk is read.
func (o *Options) readOptions(r remote.Remote, names *dircache.Tree, b *breaker.Breaker) readahead.Options {
	reading := readahead.Options{
		Limits: readahead.NewLimits(o.ReadBuffer, o.MaxReadBuffer),
		Stat:   names.StatSoon,
		Hash: func(ctx context.Context, name, algorithm string) (sum []byte, err error) {
			err = b.Ask(ctx, func(ctx context.Context) error {
				sum, err = remote.Hash(ctx, r, name, algorithm)
				return err
			})
			return sum, err
		},
		Compare: o.Checksums.compares,
		Known:   names.Known,
		Changed: names.Invalidate,
		Log:     logOf(*o),
	}
	if o.Cache.Mode == writeback.Full {
		reading.Store, reading.DiskAhead, reading.FastFingerprint = o.Cache.Store, o.Cache.ReadAhead, o.Cache.FastFingerprint
	}
	return reading
}

func errChanged(name string) error {
	return refuse("read", name, remote.ErrChanged, "The file was changed while it was read; read it again.")
}
