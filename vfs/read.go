package vfs

import (
	"context"
	"errors"
	"io"
	"os"

	"ferry/breaker"
	"ferry/ftp"
	"ferry/remote"
)

// Open reads name from byte off. A remote that is as fast as a cache returns its own reader, which
// may be an *os.File; any other remote is read ahead.
func (v *View) Open(ctx context.Context, name string, off int64) (rc io.ReadCloser, err error) {
	ctx, w := v.fs.guard(ctx, breaker.ForLongQuery())
	defer w.Settle(&err)
	if off > 0 && v.fs.opt.NoSeek {
		return nil, refuse("open", name, remote.ErrUnsupported, hintNoSeek)
	}
	name = v.actual(ctx, name)
	_, node := v.elsewhere(ctx, name)
	r, err := v.fs.top.Open(ctx, name, off, -1)
	if errors.Is(err, remote.ErrNotExist) && node != "" {
		return nil, waitsElsewhere("open", name, node)
	}
	if err != nil {
		return nil, v.explain(ctx, "open", name, err, hintPart)
	}
	return withSize(r), nil
}

// withSize returns r as an ftp.Sized where the size is known, unless it is an *os.File, which the
// engine asks itself.
func withSize(r io.ReadCloser) io.ReadCloser {
	switch r.(type) {
	case *os.File, ftp.Sized:
		return r
	}
	e, known := remote.Describe(r)
	if !known {
		return r
	}
	s := sizedReader{r, e.Size}
	if w, is := r.(io.WriterTo); is {
		return sizedWriterTo{s, w}
	}
	return s
}

type sizedReader struct {
	io.ReadCloser
	size int64
}

// FileSize implements ftp.Sized.
func (s sizedReader) FileSize() int64 { return s.size }

type sizedWriterTo struct {
	sizedReader
	io.WriterTo
}
