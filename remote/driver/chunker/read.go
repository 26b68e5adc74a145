package chunker

import (
	"context"
	"errors"
	"fmt"
	"io"

	"ferry/remote"
)

// Open implements remote.Remote. A file that is replaced or removed while it is read keeps its
// chunks until then, unless another process does it: reading then fails.
func (r *Remote) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	if off < 0 {
		return nil, remote.Renamed("open", name, remote.ErrInvalid)
	}
	// First of all: chunks of another content have other names from then on.
	release := r.hold(ctx, name)
	for attempt := 0; ; attempt++ {
		body, err := r.open(ctx, name, off, n, release)
		switch {
		case err == nil:
			return body, nil
		case !errors.Is(err, errReplaced) || attempt == maxAttempts:
			release()
			if errors.Is(err, errReplaced) {
				err = missing(err)
			}
			return nil, remote.Renamed("open", name, err)
		}
	}
}

// errReplaced means that a file may have been replaced since it was looked at.
var errReplaced = errors.New("the file was replaced while it was opened")

// open opens what name is. A reader that it returns has release called: at once, or by its Close.
func (r *Remote) open(ctx context.Context, name string, off, n int64, release func()) (io.ReadCloser, error) {
	f, err := r.find(ctx, name)
	if err != nil {
		return nil, err
	}
	if f.rec != nil {
		c, err := r.openChunks(ctx, f, off, n, release)
		if errors.Is(err, remote.ErrNotExist) {
			err = fmt.Errorf("%w: %w", errReplaced, err)
		}
		if err != nil {
			return nil, err
		}
		return c, nil
	}
	body, err := r.below.Open(ctx, name, off, n)
	if err != nil {
		return nil, err
	}
	if now, ok := remote.Describe(body); ok && now.Size != f.entry.Size && !r.o.NoRecords && maybeRecord(now) {
		_ = body.Close() // it may be the record of what has replaced it
		return nil, errReplaced
	}
	release()
	return body, nil
}

// maxAttempts is how often a file is looked for again whose chunks were not there.
const maxAttempts = 3

// openChunks returns a reader, which calls release when it is closed.
func (r *Remote) openChunks(ctx context.Context, f file, off, n int64, release func()) (*chunks, error) {
	end := f.entry.Size
	if n >= 0 && n < end-off {
		end = off + n
	}
	open := func(number int, off, n int64) (body io.ReadCloser, err error) {
		err = r.eitherName(f, number, func(name string) error {
			body, err = r.below.Open(ctx, name, off, n)
			return err
		})
		return body, err
	}
	c := &chunks{open: open, file: f, end: end, off: off, release: release}
	if off >= end {
		return c, nil
	}
	err := r.eitherName(f, 0, func(name string) error {
		first, err := r.below.Stat(ctx, name)
		if err == nil {
			err = c.fits(first.Size)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// errMissing means that a file is not whole: it is there, and its content cannot be read.
var errMissing = errors.New("a chunk of the file is missing or has not its size")

// missing makes an error of a chunk one of the file.
func missing(err error) error {
	if errors.Is(err, remote.ErrNotExist) {
		return remote.Final(errMissing)
	}
	return err
}

// chunks reads a file in chunks from off to end.
type chunks struct {
	release func() // of the hold on the chunks
	open    func(number int, off, n int64) (io.ReadCloser, error)
	file    file
	size    int64 // of each chunk but the last
	off     int64
	end     int64
	body    io.ReadCloser // of the chunk that off is in; nil before it is opened
	left    int64         // bytes of the file in body
}

// fits takes the size of the first chunk as that of all.
func (c *chunks) fits(size int64) error {
	total, count := c.file.entry.Size, int64(*c.file.rec.Chunks)
	if size <= 0 || (total+size-1)/size != count {
		return fmt.Errorf("%d bytes in %d chunks of %d: %w", total, count, size, remote.Final(errMissing))
	}
	c.size = size
	return nil
}

// Read implements io.Reader.
func (c *chunks) Read(p []byte) (int, error) {
	for {
		switch {
		case c.off >= c.end:
			return 0, io.EOF
		case c.body == nil:
			if err := c.next(); err != nil {
				return 0, remote.Renamed("read", c.file.name, missing(err))
			}
		}
		n, err := c.body.Read(p[:min(int64(len(p)), c.left)])
		c.off, c.left = c.off+int64(n), c.left-int64(n)
		switch {
		case c.left == 0:
			err = c.closeBody()
		case err == io.EOF:
			err = remote.Final(errMissing)
		}
		if n > 0 || err != nil {
			return n, remote.Renamed("read", c.file.name, err)
		}
	}
}

// next opens the chunk that off is in.
func (c *chunks) next() (err error) {
	number, within := c.off/c.size, c.off%c.size
	c.left = min(c.size-within, c.end-c.off)
	c.body, err = c.open(int(number), within, c.left)
	return err
}

// Close implements io.Closer.
func (c *chunks) Close() error {
	defer c.release()
	return c.closeBody()
}

func (c *chunks) closeBody() error {
	if c.body == nil {
		return nil
	}
	body := c.body
	c.body = nil
	return body.Close()
}

// Described implements remote.Described.
func (c *chunks) Described() (remote.Entry, bool) { return c.file.entry, c.file.entry.Version != "" }
