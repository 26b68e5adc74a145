package smb

import (
	"context"
	"io"
	"os"

	smb2 "github.com/cloudsoda/go-smb2"

	"ferry/remote"
	"ferry/remote/driver/internal/chunks"
)

// Open implements remote.Remote. The reader is an io.WriterTo and remote.Described. When the file
// is replaced meanwhile, it goes on with the old content or fails with ErrChanged.
func (r *Remote) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	if err := r.check(ctx, "open", name); err != nil {
		return nil, err
	}
	if off < 0 {
		return nil, fail("open", name, remote.ErrInvalid)
	}
	return r.read(ctx, name, r.target(name), off, n)
}

// read opens the file at a target, which is called name here.
func (r *Remote) read(ctx context.Context, name string, at target, off, n int64) (io.ReadCloser, error) {
	c, err := r.reads.Get(ctx)
	if err != nil {
		return nil, fail("open", name, err)
	}
	h, m, err := r.openRead(ctx, c, at)
	if err != nil {
		r.reads.Put(c)
		return nil, fail("open", name, err)
	}
	return chunks.NewReader(ctx, h, chunks.ReadOptions{
		Entry: m.entry(remote.BaseOf(name)), Off: off, N: n, Max: chunksMax,
		Fail: func(err error) error { return fail("read", name, err) }, Release: func() { r.reads.Put(c) },
	}), nil
}

// openRead opens a file for reading and describes it.
func (r *Remote) openRead(ctx context.Context, c *conn, at target) (*handle, meta, error) {
	if at.path == "" {
		if _, err := r.look(ctx, c, at, (*smb2.Share).Stat); err != nil {
			return nil, meta{}, err
		}
		return nil, meta{}, remote.ErrIsDir
	}
	first := meta{}
	known := false
	h, err := r.files.openFile(ctx, c, at, os.O_RDONLY, func(f *smb2.File) error {
		info, err := f.Stat()
		if err != nil {
			return err
		}
		m := metaOf(info.Sys().(*smb2.FileStat))
		switch {
		case m.dir():
			return remote.ErrIsDir
		case known && (m.id != first.id || m.size != first.size || !m.modTime.Equal(first.modTime)):
			return remote.ErrChanged
		}
		first, known = m, true
		return nil
	})
	return h, first, err
}
