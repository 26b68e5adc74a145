package vfs

import (
	"context"
	"io"
	"sync/atomic"

	"ferry/remote"
)

// Open reads name from byte off on. The reader of a remote that is as quick as a cache is its own, which may be an
// *os.File; any other remote is read ahead.
func (v *View) Open(ctx context.Context, name string, off int64) (io.ReadCloser, error) {
	if off > 0 && v.fs.opt.NoSeek {
		return nil, refuse("open", name, remote.ErrUnsupported, hintNoSeek)
	}
	name = v.actual(ctx, name)
	r, err := v.fs.openShown(ctx, name, off)
	if err != nil {
		return nil, v.explain(ctx, "open", name, err, hintPart)
	}
	return r, nil
}

// openShown opens what name is to those who are served.
func (f *FS) openShown(ctx context.Context, name string, off int64) (io.ReadCloser, error) {
	if f.over != nil {
		return f.over.Open(ctx, name, off, -1)
	}
	return f.open(ctx, name, off)
}

// openRemote is Open of the remote, ahead where all of the rest is read.
func (f *FS) openRemote(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	if n >= 0 {
		return f.remote.Open(ctx, name, off, n)
	}
	return f.open(ctx, name, off)
}

// open opens the remote's file. The first range is asked for at once: the remote says with it what it sends, so that no
// Stat is needed. One that does not say so is read in one request, for nobody would notice a change between two.
func (f *FS) open(ctx context.Context, name string, off int64) (io.ReadCloser, error) {
	if f.opt.Chunks != nil && !f.caps.Live {
		return f.openChunked(ctx, name, off, *f.opt.Chunks)
	}
	if f.caps.Live || f.limits.buffer < 2*blockSize || f.silent.Load() {
		return f.remote.Open(ctx, name, off, -1)
	}
	first, err := f.remote.Open(ctx, name, off, blockSize)
	if err != nil {
		return nil, err
	}
	e, known := remote.Describe(first)
	switch {
	case !known || e.Size < 0:
		first.Close()
		f.silent.Store(true)
		return f.remote.Open(ctx, name, off, -1)
	case e.Size-off <= blockSize:
		return first, nil
	}
	return newReadAhead(ctx, name, first, e, off, &f.limits, func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
		return f.remote.Open(ctx, name, off, n)
	}), nil
}

// readLimits bounds the memory of all files that are read ahead.
type readLimits struct {
	buffer  int64 // bytes for one file
	total   int64 // bytes for all; 0 = no limit
	readers atomic.Int64
}

func (l *readLimits) join()  { l.readers.Add(1) }
func (l *readLimits) leave() { l.readers.Add(-1) }

// share is how many blocks one file may have: fewer, the more files are read, but always one.
func (l *readLimits) share() int {
	bytes := l.buffer
	if n := l.readers.Load(); l.total > 0 && n > 0 {
		bytes = min(bytes, l.total/n)
	}
	return int(max(bytes/blockSize, 1))
}
