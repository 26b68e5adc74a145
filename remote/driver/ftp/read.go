package ftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/jlaffaye/ftp"

	"ferry/remote"
)

// Open implements remote.Remote. The reader is remote.Described. It has a session of its own until
// it is closed.
func (r *Remote) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	if err := r.check(ctx, "open", name); err != nil {
		return nil, err
	}
	if off < 0 {
		return nil, fail("open", name, remote.ErrInvalid)
	}
	s, err := r.pool.get(ctx)
	if err != nil {
		return nil, fail("open", name, err)
	}
	f := &reader{name: name, s: s, cause: func() error { return context.Cause(ctx) }, done: ctx.Done(), put: r.pool.put}
	err = s.ask(ctx, func() error { return r.retrieve(f, off, n) })
	if err != nil {
		r.pool.put(s)
		return nil, fail("open", name, err)
	}
	f.unwatch = s.watch(ctx)
	return f, nil
}

// retrieve begins to read what f is for (RFC 959 section 4.1.3, with REST by RFC 3659 section 5).
func (r *Remote) retrieve(f *reader, off, n int64) (err error) {
	f.entry, err = r.look(f.s, f.name)
	switch {
	case err != nil:
		return err
	case f.entry.Dir:
		return remote.ErrIsDir
	}
	f.at, f.left = off, n
	if off >= f.entry.Size || n == 0 {
		f.left = 0
		return nil
	}
	f.path = r.path(f.s, f.name)
	f.data, err = f.s.c.RetrFrom(f.path, uint64(off))
	if refused(err) {
		if r.missing(f.s, f.name) {
			return remote.ErrNotExist
		}
	}
	return err
}

// A reader reads a file from a data connection.
type reader struct {
	// constant
	name    string
	path    string // of the file on the server
	entry   remote.Entry
	s       *session
	done    <-chan struct{} // closed when the context of Open ends
	cause   func() error    // why it has
	put     func(*session)
	unwatch func() (ended bool)

	data *ftp.Response // nil when there is nothing to read, or it was read
	at   int64         // where in the file the next byte is
	left int64         // bytes that are wanted; below 0 = all there are

	err    error // what every further Read returns
	closed bool
}

// Described implements remote.Described.
func (f *reader) Described() (remote.Entry, bool) { return f.entry, true }

// Read returns io.EOF only when the server has confirmed that it sent everything, and the file is
// as long as that.
func (f *reader) Read(p []byte) (int, error) {
	if f.err == nil {
		select {
		case <-f.done:
			f.err = fail("read", f.name, f.cause())
		default:
		}
	}
	if f.err != nil || len(p) == 0 {
		return 0, f.err
	}
	if f.left == 0 {
		f.err = io.EOF
		return 0, f.err
	}
	if f.left > 0 {
		p = p[:min(int64(len(p)), f.left)]
	}
	n, err := f.data.Read(p)
	f.at += int64(n)
	f.left = max(f.left-int64(n), -1)
	if err != nil {
		if err == io.EOF {
			err = f.end()
		}
		if err != io.EOF {
			f.s.abort()
			err = f.wrap(err)
		}
		f.err = err
	}
	return n, err
}

// end returns io.EOF if the data that has ended is complete. A data connection that was cut on its
// way may end like one that was not, while the server knows nothing of it, so the length is
// compared with that of the file: unless that has changed since, and may have been another one when
// the transfer began. Then the server's word must do.
func (f *reader) end() error {
	timer := time.AfterFunc(patience, f.s.abort)
	defer timer.Stop()
	data := f.data
	f.data = nil
	if err := data.Close(); err != nil { // which reads the reply
		return fmt.Errorf("%w: %w", io.ErrUnexpectedEOF, translate(err))
	}
	if f.at >= f.entry.Size {
		return io.EOF
	}
	now, err := f.s.stat(f.path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && (now.Size != f.entry.Size || !now.ModTime.Equal(f.entry.ModTime)) {
		return io.EOF
	}
	return fmt.Errorf("%w at byte %d", io.ErrUnexpectedEOF, f.at)
}

// wrap prefers the end of the context to what that has done to the connection. The end of a
// connection is not io.EOF.
func (f *reader) wrap(err error) error {
	select {
	case <-f.done:
		err = f.cause()
	default:
	}
	return fail("read", f.name, err)
}

// Close implements io.Closer. A transfer that was not read to its end takes the session with it.
func (f *reader) Close() error {
	if f.closed {
		return fs.ErrClosed
	}
	f.closed = true
	f.unwatch()
	if f.data != nil {
		f.s.abort() // after what the server says now, some say more
	}
	f.put(f.s)
	return nil
}
