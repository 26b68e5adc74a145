package disktest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"
)

// A file is an open file.
type file struct {
	d        *Disk
	n        *node
	writable bool

	closed bool // guarded by d.mu
}

// usable returns the error of an operation on a closed or read-only file.
//
// LOCKS_REQUIRED(f.d.mu)
func (f *file) usable(write bool) error {
	switch {
	case f.closed:
		return fs.ErrClosed
	case write && !f.writable:
		return fs.ErrPermission
	}
	return nil
}

func (f *file) name() string {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	return f.n.name
}

func span(off int64, n int) string { return fmt.Sprintf("%d+%d", off, n) }

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	if err := f.d.begin("read", f.name(), span(off, len(p))); err != nil {
		return 0, err
	}
	defer f.d.mu.Unlock()
	if err := f.usable(false); err != nil {
		return 0, err
	}
	n := f.n.readAt(p, off)
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) WriteAt(p []byte, off int64) (int, error) {
	err := f.d.change("write", f.name(), span(off, len(p)))
	if errors.Is(err, ErrStopped) {
		f.tear(p, off)
	}
	if err != nil {
		return 0, err
	}
	defer f.d.mu.Unlock()
	return f.write(p, off)
}

// write writes as much of p as there are pages for.
//
// LOCKS_REQUIRED(f.d.mu)
func (f *file) write(p []byte, off int64) (done int, err error) {
	if err := f.usable(true); err != nil {
		return 0, err
	}
	f.n.changed = time.Now().Round(0)
	for done < len(p) {
		at := off + int64(done)
		i := at / PageSize
		if f.n.pages[i] == nil {
			if _, err := f.d.admit(1); err != nil {
				return done, err
			}
		}
		done += copy(f.n.page(i)[at%PageSize:], p[done:])
		f.n.size = max(f.n.size, off+int64(done))
	}
	return done, nil
}

// tear writes, once, the pages of a write during which the disk stops.
func (f *file) tear(p []byte, off int64) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	end := (off/PageSize + int64(f.d.torn)) * PageSize
	f.d.torn = 0
	if end <= off || f.usable(true) != nil {
		return
	}
	// the size of the disk does not matter any more
	size := f.d.size
	f.d.size = 0
	_, _ = f.write(p[:min(int64(len(p)), end-off)], off)
	f.d.size = size
}

func (f *file) ReadFromAt(r io.Reader, off int64) (int64, error) {
	return io.Copy(io.NewOffsetWriter(f, off), struct{ io.Reader }{r})
}

func (f *file) Reader(off int64) (io.ReadCloser, error) {
	return &reader{f: f, off: off}, nil
}

func (f *file) Size() (int64, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	return f.n.size, f.usable(false)
}

func (f *file) ModTime() (time.Time, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	return f.n.changed, f.usable(false)
}

func (f *file) Truncate(size int64) error {
	if err := f.d.change("truncate", f.name(), fmt.Sprint(size)); err != nil {
		return err
	}
	defer f.d.mu.Unlock()
	if err := f.usable(true); err != nil {
		return err
	}
	f.d.used -= f.n.truncated(size) * PageSize
	f.n.changed = time.Now().Round(0)
	return nil
}

func (f *file) Sync() error {
	if err := f.d.change("sync", f.name(), ""); err != nil {
		return err
	}
	defer f.d.mu.Unlock()
	if err := f.usable(false); err != nil {
		return err
	}
	f.n.synced()
	return nil
}

func (f *file) PunchHole(off, n int64) error {
	if err := f.d.change("punch", f.name(), span(off, int(n))); err != nil {
		return err
	}
	defer f.d.mu.Unlock()
	if err := f.usable(true); err != nil {
		return err
	}
	end := min(off+n, f.n.size)
	f.n.changed = time.Now().Round(0)
	for off < end {
		i := off / PageSize
		next := min((i+1)*PageSize, end)
		whole := off%PageSize == 0 && (next%PageSize == 0 || next == f.n.size)
		switch {
		case f.n.pages[i] == nil:
		case whole:
			f.n.drop(i)
			f.d.used -= PageSize
		default:
			clear(f.n.page(i)[off%PageSize : next-i*PageSize])
		}
		off = next
	}
	return nil
}

func (f *file) Close() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if f.closed {
		return fs.ErrClosed
	}
	f.closed = true
	f.d.release(f.n)
	return nil
}

// A reader reads a file from an offset on.
type reader struct {
	f *file

	mu  sync.Mutex
	off int64
}

func (r *reader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n, err := r.f.ReadAt(p, r.off)
	r.off += int64(n)
	if n > 0 && errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

func (r *reader) Close() error { return r.f.Close() }
