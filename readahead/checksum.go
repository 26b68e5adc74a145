package readahead

import (
	"hash"
	"io"

	"ferry/remote"
)

// Checksums say when what is read is compared with the checksum that the remote tells: at the end
// of a file that was read from its beginning.
type Checksums uint8

const (
	// ChecksumsCheap compares what costs little: CRC32C always, MD5 of files up to 64 MiB.
	ChecksumsCheap Checksums = iota
	// ChecksumsAll compares whatever the remote tells.
	ChecksumsAll
	// ChecksumsOff compares nothing.
	ChecksumsOff
	// ChecksumsHeld compares what is held, at little cost, and leaves the rest to who reads.
	ChecksumsHeld
)

// compares reports whether a content is compared with e.Digest.
func (c Checksums) compares(e remote.Entry) bool {
	switch c {
	case ChecksumsOff:
		return false
	case ChecksumsAll:
		return true
	}
	return e.Digest.Cheap(e.Size)
}

// checked returns r, which reads name from its beginning to its end, with a look at the checksum
// when it has come there.
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

// checkedReader is the reader of a whole file whose checksum is known.
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
		if bad := c.verdict(); bad != nil {
			err = bad
		}
	}
	return n, err
}

// verdict is the error of a content that is as long as it should be and has another checksum.
func (c *checkedReader) verdict() error {
	if c.n != c.entry.Size {
		return nil
	}
	if c.entry.Digest.Is(c.hash) {
		if own, ok := c.ReadCloser.(*reader); ok {
			own.verified()
		}
		return nil
	}
	c.tree.forgetAll(c.name)
	return errDigest(c.name)
}

// Described implements remote.Described.
func (c *checkedReader) Described() (remote.Entry, bool) { return c.entry, true }

// checkedWriterTo is a checkedReader whose bytes are written from where they arrived.
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
		err = c.verdict()
	}
	return n, err
}

type writeFunc func(p []byte) (int, error)

func (f writeFunc) Write(p []byte) (int, error) { return f(p) }
