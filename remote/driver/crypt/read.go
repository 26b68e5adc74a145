package crypt

import (
	"context"
	"io"
	"os"

	"ferry/remote"
	"ferry/remote/driver/crypt/cipher"
)

// Open implements remote.Remote. Of the file below, only the blocks of the range are read.
func (r *Remote) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	p, err := r.find(name)
	if err == nil && off < 0 {
		err = remote.ErrInvalid
	}
	if err != nil {
		return nil, remote.Renamed("open", name, err)
	}
	open := func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
		return r.below.Open(ctx, p.file, off, n)
	}
	if r.o.PlainData {
		f, err := open(ctx, off, n)
		return f, remote.Renamed("open", name, r.isDir(ctx, p, err))
	}
	s := source{name: name, key: p.file, open: open, size: func(ctx context.Context) (int64, error) {
		e, err := r.below.Stat(ctx, p.file)
		return e.Size, err
	}}
	f, err := r.openRange(ctx, s, off, n)
	if err != nil {
		return nil, remote.Renamed("open", name, r.isDir(ctx, p, err))
	}
	return f, nil
}

// A source is an encrypted file, or a part of one.
type source struct {
	name string // here, for errors
	key  string // that nonces are remembered by; "" = they are not
	open func(ctx context.Context, off, n int64) (io.ReadCloser, error)
	size func(ctx context.Context) (int64, error) // asked only when the end may not be the end
}

// A span is a range of plain bytes, and where it is in the encrypted file.
type span struct {
	number     uint64 // the first one
	skip       int64  // plain bytes of it that are not in the range
	left       int64  // plain bytes in the range; -1 = to the end
	start      int64  // of the bytes to be read
	length     int64  // of them; -1 = to the end
	withHeader bool   // they begin with the header
}

// maxOffset is beyond every file, and far from the end of the numbers.
const maxOffset = 1 << 61

// spanOf returns the span of n bytes from off on, to the end if n is below 0.
func spanOf(off, n int64) span {
	off = min(off, maxOffset)
	s := span{number: uint64(off / cipher.BlockData), skip: off % cipher.BlockData, left: n, length: -1}
	s.start = cipher.HeaderSize + int64(s.number)*cipher.BlockSize
	if n >= 0 && n < maxOffset {
		blocks := (s.skip + n + cipher.BlockData - 1) / cipher.BlockData
		s.length = blocks * cipher.BlockSize
	} else {
		s.left = -1
	}
	if s.number == 0 {
		s.withHeader, s.start = true, 0
		if s.length >= 0 {
			s.length += cipher.HeaderSize
		}
	}
	return s
}

// openRange opens a range of plain bytes. The header of the file is read together with it where
// that is not what the range begins with, and its nonce is not known yet.
func (r *Remote) openRange(ctx context.Context, s source, off, n int64) (io.ReadCloser, error) {
	f := &reader{r: r, source: s, span: spanOf(off, n), within: s.within(ctx)}
	if f.withHeader {
		if err := f.openBody(ctx); err != nil {
			return nil, err
		}
		return f, nil
	}
	known, ok := r.headers.get(s.key)
	if !ok && !r.info.Caps.CheapStat {
		f.pending = fetchHeader(ctx, s)
	}
	if err := f.openBody(ctx); err != nil {
		f.drop()
		return nil, err
	}
	if ok && known.version != "" && known.version == f.entry.Version {
		f.nonce, f.hasNonce = known.nonce, true
	}
	return f, nil
}

// within binds what a reader does later to the context of Open.
func (s source) within(ctx context.Context) within {
	return within{
		ended: func() error {
			if ctx.Err() == nil {
				return nil
			}
			return context.Cause(ctx)
		},
		size:   func() (int64, error) { return s.size(ctx) },
		header: func() (header, error) { return readHeader(ctx, s) },
		warn:   func(message string, args ...any) { remote.Warn(ctx, message, args...) },
	}
}

// openBody opens the encrypted bytes, and finds out how many there are in the file.
func (f *reader) openBody(ctx context.Context) (err error) {
	if f.body, err = f.open(ctx, f.start, f.length); err != nil {
		return err
	}
	f.total = -1
	if e, ok := remote.Describe(f.body); ok {
		f.entry, f.described = e, true
		f.total = e.Size
	} else if file, ok := f.body.(*os.File); ok {
		if info, err := file.Stat(); err == nil {
			f.total = info.Size()
		}
	}
	return nil
}
