package cache

import (
	"io"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"ferry/disk"
)

// A Content is what a record holds. It stays readable when the record has gone, until it is closed.
type Content struct {
	s    *Store
	e    *entry
	file disk.File
	size int64
	once sync.Once
	lent atomic.Bool // the kernel sends from the file
}

// OpenContent opens what the record id holds, or returns fs.ErrNotExist.
func (s *Store) OpenContent(id string) (*Content, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.dirty[id]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: id, Err: fs.ErrNotExist}
	}
	return s.openEntry(e)
}

// openEntry opens a file in dirty/ or lost/. Its name does not change without s.mu.
//
// LOCKS_REQUIRED(s.mu)
func (s *Store) openEntry(e *entry) (*Content, error) {
	f, err := s.disk.OpenFile(entryPath(e.state, e.rec.ID), os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	e.readers++
	return &Content{s: s, e: e, file: f, size: e.rec.Size}, nil
}

// Size is how many bytes it has.
func (c *Content) Size() int64 { return c.size }

// ReadAt implements io.ReaderAt.
func (c *Content) ReadAt(p []byte, off int64) (int, error) {
	return io.NewSectionReader(c.file, dataStart, c.size).ReadAt(p, off)
}

// Section reads the content from its beginning, and may seek. It ends with the Content.
func (c *Content) Section() *io.SectionReader { return io.NewSectionReader(c.file, dataStart, c.size) }

// Reader reads the content from off on, and is closed by itself. On a real disk it is an *os.File,
// for the kernel to send: its position counts from the beginning of the header, so that it can be
// read, but neither sought in nor asked for its size. The file may have gone; then it is a reader
// that ends with the Content.
func (c *Content) Reader(off int64) (io.ReadCloser, error) {
	c.s.mu.Lock()
	gone := c.e.hidden
	var (
		f   disk.File
		err error
	)
	if !gone {
		f, err = c.s.disk.OpenFile(entryPath(c.e.state, c.e.rec.ID), os.O_RDONLY)
	}
	c.s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if gone {
		return io.NopCloser(io.NewSectionReader(c.file, dataStart+off, max(c.size-off, 0))), nil
	}
	r, err := f.Reader(dataStart + off)
	if err != nil {
		return nil, err
	}
	if !c.s.copies.lends() {
		return plain{r}, nil
	}
	if _, isFile := r.(*os.File); isFile {
		c.lent.Store(true)
	}
	return r, nil
}

// plain hides what else a reader is.
type plain struct{ io.ReadCloser }

// Close ends the use.
func (c *Content) Close() error {
	c.once.Do(func() {
		if c.lent.Load() {
			c.s.mu.Lock()
			c.e.lent = time.Now()
			c.s.mu.Unlock()
		}
		c.s.pin(c.e, -1)
	})
	return c.file.Close()
}
