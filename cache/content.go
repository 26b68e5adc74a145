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

// A Content is the content of a record. It stays readable until it is closed, even if the record is
// removed.
type Content struct {
	s        *Store
	e        *entry
	file     disk.File
	size     int64
	once     sync.Once
	inFlight atomic.Bool // the kernel may be sending from the file
}

// OpenContent opens the content of the record id, or returns fs.ErrNotExist.
func (s *Store) OpenContent(id string) (*Content, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.dirty[id]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: id, Err: fs.ErrNotExist}
	}
	return s.openEntry(e)
}

// openEntry opens a file in dirty/ or lost/. Its name changes only under s.mu.
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

// Size returns the size in bytes.
func (c *Content) Size() int64 { return c.size }

// ReadAt implements io.ReaderAt.
func (c *Content) ReadAt(p []byte, off int64) (int, error) {
	return io.NewSectionReader(c.file, dataStart, c.size).ReadAt(p, off)
}

// Section returns a seekable reader of the whole content, valid until the Content is closed.
func (c *Content) Section() *io.SectionReader { return io.NewSectionReader(c.file, dataStart, c.size) }

// Reader returns a reader of the content from off on; the caller closes it. On a real disk it is an
// *os.File, so that the kernel can send from it. Its offsets include the header: do not seek in it
// or query its size. If the file was removed meanwhile, the reader is valid until the Content is
// closed.
func (c *Content) Reader(off int64) (io.ReadCloser, error) {
	c.s.mu.Lock()
	gone := c.e.unindexed
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
	if !c.s.copies.sendsFile() {
		return plain{r}, nil
	}
	if _, isFile := r.(*os.File); isFile {
		c.inFlight.Store(true)
	}
	return r, nil
}

// plain hides other methods of a reader.
type plain struct{ io.ReadCloser }

// Close ends the use.
func (c *Content) Close() error {
	c.once.Do(func() {
		if c.inFlight.Load() {
			c.s.mu.Lock()
			c.e.inFlight = time.Now()
			c.s.mu.Unlock()
		}
		c.s.pin(c.e, -1)
	})
	return c.file.Close()
}
