package readahead

import (
	"hash"
	"io"

	"ferry/remote"
)

// Checksums select when content is compared with the checksum that the remote reports: at the end
// of a file that was read from its beginning.
type Checksums uint8

const (
	// ChecksumsCheap compares cheap checksums: CRC32C always, MD5 of files up to 64 MiB.
	ChecksumsCheap Checksums = iota
	// ChecksumsAll compares every checksum that the remote reports.
	ChecksumsAll
	// ChecksumsOff compares nothing.
	ChecksumsOff
	// ChecksumsHeld compares copies on disk, if that is cheap, and leaves the rest to the caller.
	ChecksumsHeld
)

// compares reports whether content is compared with e.Digest.
func (c Checksums) compares(e remote.Entry) bool {
	switch c {
	case ChecksumsOff:
		return false
	case ChecksumsAll:
		return true
	}
	return e.Digest.Cheap(e.Size)
}

// checked returns r, which reads the whole file name, with a comparison of the checksum at the end.
func (t *Tree) checked(r io.ReadCloser, name string) io.ReadCloser {
	e, known := remote.Describe(r)
	if !known || e.Size <= 0 || t.opt.Checksums == ChecksumsHeld || !t.opt.Checksums.compares(e) {
		return r
	}
	h := e.Digest.New()
	if h == nil {
		return r
	}
	c := &checkedReader{ReadCloser: r, name: name, entry: e, hash: h, tree: t}
	if to, ok := r.(io.WriterTo); ok {
		return &checkedWriterTo{c, to}
	}
	return c
}

// A checkedReader reads a whole file whose checksum is known.
type checkedReader struct {
	io.ReadCloser
	name  string
	entry remote.Entry
	hash  hash.Hash
	n     int64
	tree  *Tree
}

func (c *checkedReader) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.hash.Write(p[:n])
	c.n += int64(n)
	if err == io.EOF {
		if bad := c.compareDigest(); bad != nil {
			err = bad
		}
	}
	return n, err
}

// compareDigest returns the error of content that has the right length and another checksum.
func (c *checkedReader) compareDigest() error {
	if c.n != c.entry.Size {
		return nil
	}
	if c.entry.Digest.Is(c.hash) {
		if own, ok := c.ReadCloser.(*reader); ok {
			own.verified()
		}
		return nil
	}
	c.tree.dropAllCopies(c.name)
	return errDigest(c.name)
}

// Described implements remote.Described.
func (c *checkedReader) Described() (remote.Entry, bool) { return c.entry, true }

// FileSize returns the size of the file, for who shows how much of it was read.
func (c *checkedReader) FileSize() int64 { return c.entry.Size }

// A checkedWriterTo is a checkedReader that is an io.WriterTo.
type checkedWriterTo struct {
	*checkedReader
	to io.WriterTo
}

// WriteTo implements io.WriterTo.
func (c *checkedWriterTo) WriteTo(w io.Writer) (int64, error) {
	n, err := c.to.WriteTo(writeFunc(func(p []byte) (int, error) {
		n, err := w.Write(p)
		c.hash.Write(p[:n])
		c.n += int64(n)
		return n, err
	}))
	if err == nil {
		err = c.compareDigest()
	}
	return n, err
}

type writeFunc func(p []byte) (int, error)

func (f writeFunc) Write(p []byte) (int, error) { return f(p) }
