package limit

import (
	"context"
	"io"

	"ferry/remote"
)

// Open implements remote.Remote. Without limits of bandwidth and connections the reader is the
// remote's own.
func (r *Remote) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	if err := r.enterLong(ctx, "open", name); err != nil {
		return nil, err
	}
	rc, err := r.Forward.Open(ctx, name, off, n)
	if err != nil {
		r.leaveLong()
		return nil, err
	}
	if r.slots != nil {
		rc = remote.TapReader(rc, func(int64, error) {}, func(error) { r.leaveLong() })
	}
	if r.o.Bandwidth == nil {
		return rc, nil
	}
	slow := &reader{rc, r.slow(ctx, rc, down)}
	if to, able := rc.(io.WriterTo); able {
		return &readerTo{slow, to, func(w io.Writer) io.Writer { return r.slowWriter(ctx, w, down) }}, nil
	}
	return slow, nil
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

// Put implements remote.Remote.
func (r *Remote) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (e remote.Entry, err error) {
	if err := r.enterLong(ctx, "put", name); err != nil {
		return remote.Entry{}, err
	}
	defer r.leaveLong()
	if r.o.Bandwidth != nil {
		body = r.slow(ctx, body, up)
	}
	return r.Forward.Put(ctx, name, body, o)
}
