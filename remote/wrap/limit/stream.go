package limit

import (
	"context"
	"io"

	"ferry/remote"
	"ferry/remote/wrap/intercept"
)

// open is around a call of Open. Without limits of bandwidth and connections the reader is the
// remote's own.
func (r *Remote) open(ctx context.Context, c *intercept.Call) error {
	if err := r.enter(ctx, r.takeLong, r.leaveLong); err != nil {
		return refused(c.Op, c.Name, err)
	}
	if err := c.Do(ctx); err != nil {
		r.leaveLong()
		return err
	}
	if r.slots != nil {
		c.Reader = remote.TapReader(c.Reader, func(int64, error) {}, func(error) { r.leaveLong() })
	}
	if r.o.Bandwidth == nil {
		return nil
	}
	slow := &reader{c.Reader, r.slow(ctx, c.Reader, down)}
	if to, able := c.Reader.(io.WriterTo); able {
		c.Reader = &readerTo{slow, to, func(w io.Writer) io.Writer { return r.slowWriter(ctx, w, down) }}
	} else {
		c.Reader = slow
	}
	return nil
}

// A reader is one that is limited.
type reader struct {
	inner io.ReadCloser
	slow  io.Reader
}

func (r *reader) Read(p []byte) (int, error) { return r.slow.Read(p) }

func (r *reader) Close() error { return r.inner.Close() }

// Described implements remote.Described.
func (r *reader) Described() (remote.Entry, bool) { return remote.Describe(r.inner) }

// A readerTo is a reader over one that is an io.WriterTo.
type readerTo struct {
	*reader
	to   io.WriterTo
	slow func(io.Writer) io.Writer
}

// WriteTo implements io.WriterTo. What the remote reads ahead of w is not limited.
func (r *readerTo) WriteTo(w io.Writer) (int64, error) { return r.to.WriteTo(r.slow(w)) }

// slow reads from src as fast as the limit allows. When ctx ends, what waits for its time is not
// handed out: it may be the end of a body, with which the far side would have the whole of it.
func (r *Remote) slow(ctx context.Context, src io.Reader, d direction) io.Reader {
	return readFunc(func(p []byte) (int, error) {
		n, err := src.Read(p[:r.piece(d, len(p))])
		if payErr := r.pay(ctx, d, n); payErr != nil {
			return 0, payErr
		}
		return n, err
	})
}

// slowWriter writes to w as fast as the limit allows.
func (r *Remote) slowWriter(ctx context.Context, w io.Writer, d direction) io.Writer {
	return writeFunc(func(p []byte) (total int, err error) {
		for {
			n, err := w.Write(p[:r.piece(d, len(p))])
			total += n
			if err == nil {
				err = r.pay(ctx, d, n)
			}
			if p = p[n:]; err != nil || len(p) == 0 {
				return total, err
			}
		}
	})
}

type writeFunc func(p []byte) (int, error)

func (f writeFunc) Write(p []byte) (int, error) { return f(p) }

type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }
