package sftp

import (
	"context"
	"io"

	"ferry/remote"
	"ferry/remote/driver/internal/conns"
	"ferry/remote/driver/internal/staging"
)

// hiding is a directory as package staging sees it, reached over a connection.
type hiding struct {
	conns.Dir[*conn]
	r *Remote
}

// borrow reaches the directory dir over a connection of its own.
func (r *Remote) borrow(ctx context.Context, dir string) (*hiding, error) {
	d, err := r.pool.Borrow(ctx, dir)
	if err != nil {
		return nil, err
	}
	return &hiding{d, r}, nil
}

// over reaches the directory dir over c, which stays with the caller.
func (r *Remote) over(c *conn, dir string) *hiding { return &hiding{conns.Over(c, dir), r} }

// server returns the path of a file in the directory, as the server knows it.
func (h *hiding) server(base string) string {
	switch p := h.r.path(h.Path()); p {
	case ".":
		return base
	case "/":
		return "/" + base
	default:
		return p + "/" + base
	}
}

// Lstat implements staging.Dir.
func (h *hiding) Lstat(ctx context.Context, base string) (staging.Info, error) {
	info, err := lstat(ctx, h.Conn, h.server(base))
	if err != nil {
		return staging.Info{}, err
	}
	m := metaOf(info, base)
	return hidden(&m), nil
}

// Rename implements staging.Dir.
func (h *hiding) Rename(ctx context.Context, from, to string, replace bool) error {
	source, target := h.server(from), h.server(to)
	var err error
	if replace {
		err = h.r.replace(ctx, h.Conn, source, target)
	} else {
		err = conns.Do(ctx, h.Conn, func() error { return h.Conn.sftp.Rename(source, target) })
	}
	if !unexplained(err) {
		return err
	}
	info, statErr := lstat(ctx, h.Conn, target)
	switch {
	case statErr != nil:
		return err
	case !replace:
		return remote.ErrExist
	case info.IsDir():
		return remote.ErrIsDir
	}
	return err
}

// Remove implements staging.Dir.
func (h *hiding) Remove(ctx context.Context, base string) error {
	p := h.server(base)
	return conns.Do(ctx, h.Conn, func() error { return h.Conn.sftp.Remove(p) })
}

// List implements staging.Dir.
func (h *hiding) List(ctx context.Context, yield func(staging.Info) bool) error {
	d, err := h.r.openDir(ctx, h.Conn, h.Path())
	if err != nil {
		return err
	}
	defer d.close()
	return d.each(ctx, func(m *meta) (bool, error) { return yield(hidden(m)), nil })
}

func hidden(m *meta) staging.Info {
	return staging.Info{Entry: entry(m, m.name), Regular: m.regular()}
}

// Part implements remote.Stager.
func (r *Remote) Part(ctx context.Context, name, owner string) (remote.Entry, error) {
	return r.parts.Part(ctx, name, owner)
}

// DropPart implements remote.Stager.
func (r *Remote) DropPart(ctx context.Context, name, owner string) error {
	return r.parts.DropPart(ctx, name, owner)
}

// OpenPart implements remote.PartReader.
func (r *Remote) OpenPart(ctx context.Context, name, owner string, off, n int64) (f io.ReadCloser, err error) {
	if off < 0 {
		return nil, fail("openpart", name, remote.ErrInvalid)
	}
	var kept string
	err = r.parts.Kept(ctx, name, owner, func(d staging.Dir, part string) error {
		kept = d.(*hiding).server(part)
		return nil
	})
	if err != nil {
		return nil, err
	}
	c, err := r.pool.Get(ctx)
	if err != nil {
		return nil, fail("openpart", name, err)
	}
	return r.read(ctx, c, name, kept, off, n)
}

// in is what package staging finds directories by.
func (r *Remote) in(ctx context.Context, op, name string, use func(d staging.Dir, base string) error) error {
	return r.with(ctx, op, name, func(c *conn) error {
		dir, b := remote.Split(name)
		return belowFile(ctx, c, r.path(name), use(r.over(c, dir), r.o.Encoding.Encode(b)))
	})
}
