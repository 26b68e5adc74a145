package chunks

import (
	"context"
	"io"
	"io/fs"
	"sync"

	"ferry/remote"
)

// A Reader reads a file ahead of who reads from it, the further the longer that goes on: so that
// the distance to the server costs little, and a short read asks for little. It is an io.WriterTo
// and remote.Described.
type Reader struct {
	// constant
	o     ReadOptions
	done  <-chan struct{} // closed when the context of the reader ends
	cause func() error    // why it has

	promised int64 // bytes that are there, by the size of the file when it was opened
	got      int64 // bytes that have come

	file   File
	next   int64 // where the next chunk begins
	left   int64 // bytes that are still to be asked for; below 0 = all there are
	window int   // chunks that may be under way
	ahead  []*chunk
	rest   []byte // of the chunk that came last
	err    error  // what comes after rest

	closed sync.Once
}

// A File is open for reading, by several calls at a time.
type File interface {
	io.ReaderAt
	io.Closer
}

// ReadOptions say what is read, and how.
type ReadOptions struct {
	Entry  remote.Entry // the file as it was opened
	Off, N int64        // as Open has them
	Max    int          // chunks under way at a time
	// Fail makes err the error that the driver returns for a read.
	Fail func(err error) error
	// Release is called when the file is closed.
	Release func()
}

// NewReader returns a reader of f that fails when ctx ends, and closes f.
func NewReader(ctx context.Context, f File, o ReadOptions) *Reader {
	if o.Off > o.Entry.Size {
		o.N = 0 // the far side may have no such offset
	}
	promised := max(o.Entry.Size-o.Off, 0)
	if o.N >= 0 {
		promised = min(promised, o.N)
	}
	return &Reader{
		o: o, done: ctx.Done(), cause: func() error { return context.Cause(ctx) },
		promised: promised, file: f, next: o.Off, left: o.N,
	}
}

// A chunk is a piece of a file that is on its way.
type chunk struct {
	done chan struct{}
	data []byte // valid when done is closed
	err  error  // likewise
}

// Described implements remote.Described.
func (r *Reader) Described() (remote.Entry, bool) { return r.o.Entry, true }

// Read implements io.Reader.
func (r *Reader) Read(p []byte) (int, error) {
	if err := r.fill(); err != nil {
		return 0, err
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// WriteTo implements io.WriterTo.
func (r *Reader) WriteTo(w io.Writer) (int64, error) {
	var written int64
	for {
		switch err := r.fill(); {
		case err == io.EOF:
			return written, nil
		case err != nil:
			return written, err
		}
		n, err := w.Write(r.rest)
		written += int64(n)
		r.rest = r.rest[n:]
		if err != nil {
			return written, err
		}
	}
}

// fill waits until there is something in rest.
func (r *Reader) fill() error {
	select {
	case <-r.done:
		return r.o.Fail(r.cause())
	default:
	}
	for len(r.rest) == 0 {
		if r.err != nil {
			return r.err
		}
		r.ask()
		if len(r.ahead) == 0 {
			r.err = io.EOF
			return r.err
		}
		select {
		case <-r.ahead[0].done:
		case <-r.done:
			return r.o.Fail(r.cause())
		}
		c := r.ahead[0]
		r.ahead = r.ahead[1:]
		r.got += int64(len(c.data))
		r.rest, r.err = c.data, r.readErr(c.err)
	}
	return nil
}

// readErr keeps the end of the file, which is io.EOF itself, apart from that of the connection,
// which package chunks wraps.
func (r *Reader) readErr(err error) error {
	switch {
	case err == nil:
		return nil
	case err == io.EOF && r.got >= r.promised:
		return io.EOF
	case err == io.EOF:
		err = io.ErrUnexpectedEOF
	}
	return r.o.Fail(err)
}

// ask sends requests until as many are under way as may be.
func (r *Reader) ask() {
	r.window = min(r.window*2+1, r.o.Max)
	for len(r.ahead) < r.window && r.left != 0 {
		size := int64(Size)
		if r.left > 0 {
			size = min(size, r.left)
			r.left -= size
		}
		c := &chunk{done: make(chan struct{})}
		off := r.next
		r.next += size
		r.ahead = append(r.ahead, c)
		go func() {
			defer close(c.done)
			c.data, c.err = readAll(r.file, make([]byte, size), off)
		}()
	}
}

// readAll fills b from off on, up to the end of the file. Libraries take an answer that is shorter
// than was asked for to be the last; some servers just give less at a time.
func readAll(f io.ReaderAt, b []byte, off int64) ([]byte, error) {
	n := 0
	for {
		k, err := f.ReadAt(b[n:], off+int64(n))
		n += k
		switch {
		case n == len(b), err != nil && err != io.EOF, err == io.EOF && k == 0:
			return b[:n], err
		case k == 0:
			return b[:n], io.ErrNoProgress
		}
	}
}

// Close implements io.Closer. The file is closed when the requests under way are answered.
func (r *Reader) Close() error {
	err := fs.ErrClosed
	r.closed.Do(func() {
		err = nil
		go func() {
			defer r.o.Release()
			r.file.Close() // nothing was written
		}()
	})
	return err
}
