package sftp

import (
	"context"
	"io"

	"github.com/pkg/sftp"

	"ferry/remote"
	"ferry/remote/driver/internal/chunks"
	"ferry/remote/driver/internal/conns"
)

// Open implements remote.Remote. The reader is an io.WriterTo and remote.Described.
func (r *Remote) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	if err := r.check(ctx, "open", name); err != nil {
		return nil, err
	}
	if off < 0 {
		return nil, fail("open", name, remote.ErrInvalid)
	}
	c, err := r.pool.Get(ctx)
	if err != nil {
		return nil, fail("open", name, err)
	}
	if r.o.SkipLinks {
		if _, err := r.find(ctx, c, name); err != nil {
			r.pool.Put(c)
			return nil, fail("open", name, err)
		}
	}
	return r.read(ctx, c, name, r.path(name), off, n)
}

// read opens the file that the server knows as path, which is called name here. It takes over c.
func (r *Remote) read(ctx context.Context, c *conn, name, path string, off, n int64) (io.ReadCloser, error) {
	f, m, err := r.openFile(ctx, c, name, path)
	if err != nil {
		r.pool.Put(c)
		return nil, fail("open", name, err)
	}
	return chunks.NewReader(ctx, f, chunks.ReadOptions{
		Entry: entry(&m, remote.BaseOf(name)), Off: off, N: n, Max: max(r.o.Concurrency*packetSize/chunks.Size, 1),
		Fail: func(err error) error { return fail("read", name, err) }, Release: func() { r.pool.Put(c) },
	}), nil
}

// packetSize is what every server takes and gives in one packet (section 3 of the draft).
const packetSize = 32 << 10

// openFile opens name, which the server knows as p, for reading.
func (r *Remote) openFile(ctx context.Context, c *conn, name, p string) (*sftp.File, meta, error) {
	type opened struct {
		f *sftp.File
		m meta
	}
	o, err := conns.Await(ctx, c, func() (opened, error) {
		f, err := c.sftp.Open(p)
		if err != nil {
			return opened{}, err
		}
		info, err := f.Stat() // OpenSSH opens directories too
		if err != nil {
			f.Close()
			return opened{}, err
		}
		return opened{f, metaOf(info, name)}, nil
	}, func(o opened) { o.f.Close() })
	if err != nil {
		if unexplained(err) {
			if m, statErr := r.find(ctx, c, name); statErr == nil && m.mode.IsDir() {
				err = remote.ErrIsDir
			}
		}
		return nil, meta{}, belowFile(ctx, c, p, err)
	}
	switch {
	case o.m.mode.IsDir():
		err = remote.ErrIsDir
	case !o.m.regular():
		err = remote.ErrPermission
	default:
		return o.f, o.m, nil
	}
	o.f.Close()
	return nil, meta{}, err
}
