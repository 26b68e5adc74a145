package retry

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"

	"ferry/remote"
)

// Open implements remote.Remote. A reader that breaks off goes on at the byte that it has reached,
// if the remote says that it is the same content (remote.Described), and fails with
// remote.ErrChanged if it is not. A reader that is an *os.File is passed on as it is.
func (r *Remote) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	rc, err := r.open(ctx, name, off, n)
	if err != nil {
		return nil, err
	}
	if _, local := rc.(*os.File); local {
		return rc, nil
	}
	rd := &reader{name: name, inner: rc, off: off, left: n, attempts: r.o.Attempts}
	rd.entry, rd.known = remote.Describe(rc)
	rd.again = func(off, left int64) (io.ReadCloser, error) { return r.Forward.Open(ctx, name, off, left) }
	rd.wait = func(before int, why error) error { return r.wait(ctx, "read", name, before, why) }
	rd.ended = func() bool { return ctx.Err() != nil }
	if _, able := rc.(io.WriterTo); able {
		return &readerTo{rd}, nil
	}
	return rd, nil
}

func (r *Remote) open(ctx context.Context, name string, off, n int64) (rc io.ReadCloser, err error) {
	err = r.repeat(ctx, "open", name, func(int) (err error) {
		rc, err = r.Forward.Open(ctx, name, off, n)
		return err
	})
	if err != nil {
		return nil, err
	}
	return rc, nil
}

// A reader survives that the one it reads from breaks off.
type reader struct {
	// constant
	name     string
	entry    remote.Entry // the content that is read
	known    bool         // entry is known
	attempts int
	again    func(off, left int64) (io.ReadCloser, error)
	wait     func(before int, why error) error
	ended    func() bool // the context of Open has

	inner  io.ReadCloser // nil after it broke off
	off    int64         // of the next byte
	left   int64         // how many are still wanted; below 0 = all
	read   bool          // a byte has been handed out
	failed int           // attempts that failed since the last byte
	err    error         // what every Read returns
}

func (r *reader) Read(p []byte) (int, error) {
	for {
		if r.err != nil {
			return 0, r.err
		}
		n, err := r.inner.Read(p)
		r.got(int64(n))
		if err == nil || err == io.EOF {
			return n, err
		}
		r.recover(err)
		if n > 0 {
			return n, nil
		}
	}
}

// got notes that n bytes have been handed out.
func (r *reader) got(n int64) {
	if n == 0 {
		return
	}
	r.off += n
	if r.left >= 0 {
		r.left -= n
	}
	r.read = true
	r.failed = 0
}

// recover puts another reader in the place of one that broke off with err, or sets r.err.
func (r *reader) recover(err error) {
	r.inner.Close() // what it says is of no interest any more
	r.inner = nil
	for {
		r.failed++
		switch {
		case r.ended(), remote.Permanent(err), r.read && !r.known:
			r.err = err
		case r.failed >= r.attempts:
			r.err = exhausted(r.failed, err)
		default:
			r.err = r.wait(r.failed-1, err)
		}
		if r.err != nil {
			return
		}
		if err = r.reopen(err); err == nil {
			return
		}
	}
}

// reopen opens the file at the byte that was reached; why is the error that made it necessary.
func (r *reader) reopen(why error) error {
	rc, err := r.again(r.off, r.left)
	if err != nil {
		return err
	}
	e, known := remote.Describe(rc)
	switch {
	case !r.read: // any version will do
		r.entry, r.known = e, known
	case !known || !remote.SameContent(e, r.entry):
		rc.Close()
		return &fs.PathError{Op: "read", Path: r.name, Err: fmt.Errorf("%w, after: %w", remote.ErrChanged, why)}
	}
	r.inner = rc
	return nil
}

func (r *reader) Close() error {
	if r.inner == nil {
		return nil
	}
	return r.inner.Close()
}

// Described implements remote.Described.
func (r *reader) Described() (remote.Entry, bool) { return r.entry, r.known }

// A readerTo is a reader over one that is an io.WriterTo.
type readerTo struct{ *reader }

// WriteTo implements io.WriterTo.
func (r *readerTo) WriteTo(w io.Writer) (total int64, err error) {
	for {
		if r.err != nil {
			return total, r.err
		}
		out := &writer{w: w}
		var n int64
		if to, able := r.inner.(io.WriterTo); able {
			n, err = to.WriteTo(out)
		} else {
			n, err = io.Copy(out, struct{ io.Reader }{r.inner})
		}
		total += n
		r.got(out.n)
		if err == nil || out.err != nil {
			return total, err
		}
		r.recover(err)
	}
}

// A writer remembers what became of what was written.
type writer struct {
	w   io.Writer
	n   int64
	err error
}

func (w *writer) Write(p []byte) (int, error) {
	n, err := w.w.Write(p)
	w.n += int64(n)
	if err != nil {
		w.err = err
	}
	return n, err
}
