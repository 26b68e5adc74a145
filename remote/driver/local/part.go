package local

import (
	"context"

	"ferry/remote"
	"ferry/remote/driver/internal/staging"
)

// hiding is an open directory as package staging sees it.
type hiding struct {
	r    *Remote
	dir  dir
	path string        // when it was opened
	only *precondition // of the stage whose directory it is; nil = none
}

// Path implements staging.Dir.
func (h *hiding) Path() string { return h.path }

// Lstat implements staging.Dir.
func (h *hiding) Lstat(_ context.Context, base string) (staging.Info, error) {
	m, err := h.dir.lstat(base)
	if err != nil {
		return staging.Info{}, err
	}
	return h.r.hidden(&m), nil
}

// Rename implements staging.Dir.
func (h *hiding) Rename(_ context.Context, from, to string, replace bool) error {
	if h.only != nil && to == h.only.base {
		return h.renameOnly(from)
	}
	return h.dir.rename(from, h.dir, to, replace)
}

// Remove implements staging.Dir.
func (h *hiding) Remove(_ context.Context, base string) error { return h.dir.remove(base) }

// List implements staging.Dir.
func (h *hiding) List(ctx context.Context, yield func(staging.Info) bool) error {
	return h.dir.list(ctx, func(m *meta) bool { return yield(h.r.hidden(m)) })
}

// Close implements staging.Dir. Whoever opened the directory closes it.
func (h *hiding) Close() {}

func (r *Remote) hidden(m *meta) staging.Info {
	return staging.Info{Entry: r.entry(m), Regular: m.kind == regular, Linked: m.links > 1}
}

// Part implements remote.Stager.
func (r *Remote) Part(ctx context.Context, name, owner string) (remote.Entry, error) {
	return r.parts.Part(ctx, name, owner)
}

// DropPart implements remote.Stager.
func (r *Remote) DropPart(ctx context.Context, name, owner string) error {
	return r.parts.DropPart(ctx, name, owner)
}

// in is what package staging finds directories by.
func (r *Remote) in(ctx context.Context, op, name string, use func(d staging.Dir, base string) error) error {
	if err := check(ctx, op, name); err != nil {
		return err
	}
	in, base := remote.Split(name)
	d, err := r.tree.dir(in)
	if err != nil {
		return fail(op, name, err)
	}
	defer d.close()
	return fail(op, name, use(&hiding{r: r, dir: d, path: in}, base))
}
