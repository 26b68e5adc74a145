package vfs

import (
	"context"
	"io"

	"ferry/breaker"
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
	r, err := v.fs.top.Open(ctx, name, off, -1)
	if err != nil {
		return nil, v.explain(ctx, "open", name, err, hintPart)
	}
	return r, nil
}
