package smb

import (
	"context"
	"errors"
	"io"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/staging"
)

// server returns a file in the directory, as the server knows it.
func (h *hiding) server(base string) target { return h.r.target(h.Path()).below(base) }

// Lstat implements staging.Dir.
func (h *hiding) Lstat(ctx context.Context, base string) (staging.Info, error) {
	m, err := h.r.lstat(ctx, h.Conn, h.server(base))
	if err != nil {
		return staging.Info{}, err
	}
	m.name = base
	return hidden(&m), nil
}

// Rename implements staging.Dir. The protocol as package smb2 has it always replaces: unless
// replace, nothing may have the name before.
func (h *hiding) Rename(ctx context.Context, from, to string, replace bool) error {
	source, dest := h.server(from), h.server(to)
	if !replace {
		if _, ok := h.r.exists(ctx, h.Conn, dest); ok {
			return remote.ErrExist
		}
	}
	err := h.patiently(ctx, func() error { return h.r.rename(ctx, h.Conn, source, dest) })
	if err == nil || unanswered(err) || errors.Is(err, remote.ErrNotExist) {
		return err
	}
	if m, ok := h.r.exists(ctx, h.Conn, dest); ok && m.dir() {
		return remote.ErrIsDir
	}
	return err
}

// staleTime is how long a server may have a hidden file open whose connection is lost, or a checker
// of viruses.
const staleTime = 3 * time.Second

// patiently makes a change of a hidden file again while that is in use: nobody but this program
// writes to it.
func (h *hiding) patiently(ctx context.Context, change func() error) error {
	wait := 10 * time.Millisecond
	for deadline := time.Now().Add(staleTime); ; wait *= 2 {
		err := change()
		if !errors.Is(err, errInUse) || time.Now().After(deadline) {
			return err
		}
		if remote.Sleep(ctx, wait) != nil {
			return err
		}
	}
}

// Remove implements staging.Dir.
func (h *hiding) Remove(ctx context.Context, base string) error {
	return h.patiently(ctx, func() error { return h.r.unlink(ctx, h.Conn, h.server(base)) })
}

// List implements staging.Dir.
func (h *hiding) List(ctx context.Context, yield func(staging.Info) bool) error {
	d, err := h.r.openDir(ctx, h.Conn, h.r.target(h.Path()))
	if err != nil {
		return err
	}
	defer d.close()
	return d.each(ctx, func(m *meta) (bool, error) { return yield(hidden(m)), nil })
}

func hidden(m *meta) staging.Info {
	return staging.Info{Entry: m.entry(m.name), Regular: !m.dir() && !m.link()}
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
	var kept target
	err = r.parts.Kept(ctx, name, owner, func(d staging.Dir, part string) error {
		kept = d.(*hiding).server(part)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return r.read(ctx, name, kept, off, n)
}

// in is what package staging finds directories by.
func (r *Remote) in(ctx context.Context, op, name string, use func(d staging.Dir, base string) error) error {
	return r.with(ctx, op, name, func(c *conn) error {
		if r.target(name).path == "" { // a share, which has no parts
			return remote.ErrNotExist
		}
		dir, b := remote.Split(name)
		return use(r.over(c, dir), r.o.Encoding.Encode(b))
	})
}
