package sftp

import (
	"io"
	"io/fs"
	"sync"

	"github.com/pkg/sftp"

	"ferry/remote"
)

const (
	packetSize = 32 << 10  // what every server takes and gives in one packet (section 3 of the draft)
	chunkSize  = 256 << 10 // what is asked for at a time, in packets that are under way together
)

// A reader reads a file ahead of who reads from it, the further the longer that goes on: so that
// the distance to the server costs little, and a short read asks for little.
type reader struct {
	// constant
	name    string
	entry   remote.Entry
	done    <-chan struct{} // closed when the context of Open ends
	cause   func() error    // why it has
	release func()
	max     int // chunks under way at a time

	promised int64 // bytes that are there, by the size of the file when it was opened
	got      int64 // bytes that have come

	file   *sftp.File
	next   int64 // where the next chunk begins
	left   int64 // bytes that are still to be asked for; below 0 = all there are
	window int   // chunks that may be under way
	ahead  []*chunk
	rest   []byte // of the chunk that came last
	err    error  // what comes after rest

	closed sync.Once
}

// A chunk is a piece of a file that is on its way.
type chunk struct {
	done chan struct{}
	data []byte // valid when done is closed
	err  error  // likewise
}

// Described implements remote.Described.
func (r *reader) Described() (remote.Entry, bool) { return r.entry, true }

func (r *reader) Read(p []byte) (int, error) {
	if err := r.fill(); err != nil {
		return 0, err
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// WriteTo implements io.WriterTo.
func (r *reader) WriteTo(w io.Writer) (int64, error) {
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
func (r *reader) fill() error {
	select {
	case <-r.done:
		return fail("read", r.name, r.cause())
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
			return fail("read", r.name, r.cause())
		}
		c := r.ahead[0]
		r.ahead = r.ahead[1:]
		r.got += int64(len(c.data))
		r.rest, r.err = c.data, r.readErr(c.err)
	}
	return nil
}

// readErr keeps the end of the file, which is io.EOF itself, apart from that of the connection,
// which package sftp wraps.
func (r *reader) readErr(err error) error {
	switch {
	case err == nil:
		return nil
	case err == io.EOF && r.got >= r.promised:
		return io.EOF
	case err == io.EOF:
		err = io.ErrUnexpectedEOF
	}
	return fail("read", r.name, err)
}

// ask sends requests until as many are under way as may be.
func (r *reader) ask() {
	r.window = min(r.window*2+1, r.max)
	for len(r.ahead) < r.window && r.left != 0 {
		size := int64(chunkSize)
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

// readAll fills b from off on, up to the end of the file. Package sftp takes an answer that is
// shorter than was asked for to be the last; some servers just give less at a time.
func readAll(f io.ReaderAt, b []byte, off int64) ([]byte, error) {
	n := 0
	for {
		k, err := f.ReadAt(b[n:], off+int64(n))
		n += k
		if err != io.EOF || k == 0 || n == len(b) {
			return b[:n], err
		}
	}
}

// Close implements io.Closer. The file is closed when the requests under way are answered.
func (r *reader) Close() error {
	err := fs.ErrClosed
	r.closed.Do(func() {
		err = nil
		go func() {
			defer r.release()
			r.file.Close() // nothing was written
		}()
	})
	return err
}
