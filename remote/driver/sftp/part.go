package sftp

import (
	"context"
	"errors"
	"io/fs"

	"ferry/remote"
	"ferry/remote/partname"
)

// Part implements remote.Stager.
func (r *Remote) Part(ctx context.Context, name, owner string) (remote.Entry, error) {
	var e remote.Entry
	err := r.withPart(ctx, "part", name, owner, func(_ *conn, m meta, _ string) error {
		e = partEntry(&m, base(name), owner)
		return nil
	})
	return e, err
}

// DropPart implements remote.Stager.
func (r *Remote) DropPart(ctx context.Context, name, owner string) error {
	return r.withPart(ctx, "droppart", name, owner, func(c *conn, _ meta, p string) error {
		return do(ctx, c, func() error { return c.sftp.Remove(p) })
	})
}

// withPart calls use with the part that owner left of name and where it is.
func (r *Remote) withPart(ctx context.Context, op, name, owner string, use func(c *conn, m meta, p string) error) error {
	return r.with(ctx, op, name, func(c *conn) error {
		if !remote.ValidOwner(owner) {
			return remote.ErrInvalid
		}
		dir, b := remote.Split(name)
		r.kept.Lock()
		defer r.kept.Unlock()
		m, p, err := r.keptPart(ctx, c, dir, r.o.Encoding.Encode(b), owner)
		if err != nil {
			return belowFile(ctx, c, p, err)
		}
		return use(c, m, p)
	})
}

// keep makes the hidden file p in dir what its owner left of an upload, in place of what that was
// before.
func (r *Remote) keep(ctx context.Context, c *conn, dir, p string, part partname.Name) error {
	r.kept.Lock()
	defer r.kept.Unlock()
	return r.replace(ctx, c, p, r.partPath(dir, part.String()))
}

// keptPart describes the unfinished upload that owner left in dir of what the server calls held.
// One that is too old is not there.
// LOCKS_REQUIRED(r.kept)
func (r *Remote) keptPart(ctx context.Context, c *conn, dir, held, owner string) (m meta, p string, err error) {
	kept := partname.Name{Owner: owner, Base: held}
	p = r.partPath(dir, kept.String())
	r.recoverPart(ctx, c, dir, kept)
	info, err := lstat(ctx, c, p)
	if err != nil {
		return meta{}, p, err
	}
	m = metaOf(info, kept.String())
	if !m.regular() || r.expired(&m) {
		return meta{}, p, remote.ErrNotExist
	}
	return m, p, nil
}

// recoverPart keeps what a process that was killed left in the first slot.
// LOCKS_REQUIRED(r.kept)
func (r *Remote) recoverPart(ctx context.Context, c *conn, dir string, kept partname.Name) {
	first := kept
	first.Slot = 1
	hold := stage{in: dir}
	if !r.uploads.claim(&hold, first.String()) {
		return // an upload under way
	}
	defer r.uploads.release(&hold)
	p := r.partPath(dir, first.String())
	if _, err := lstat(ctx, c, p); err == nil {
		// When it cannot be renamed, there is none to continue.
		_ = r.replace(ctx, c, p, r.partPath(dir, kept.String()))
	}
}

func partEntry(m *meta, name, owner string) remote.Entry {
	e := entry(m, name)
	e.Part = owner
	e.ReadOnly = false
	return e
}

// listedPart returns the entry that List yields for the hidden file m in dir, if it yields one. It
// removes what is too old.
func (r *Remote) listedPart(ctx context.Context, c *conn, dir string, m *meta) (remote.Entry, bool, error) {
	p, ok := partname.Parse(m.name)
	if !ok || !m.regular() || r.uploads.has(dir, m.name) {
		return remote.Entry{}, false, nil
	}
	path := r.partPath(dir, m.name)
	if r.expired(m) {
		// Whoever comes across the next one tries again.
		_ = r.removeIdle(ctx, c, dir, m.name, func() bool {
			info, err := lstat(ctx, c, path)
			if err != nil {
				return false
			}
			now := metaOf(info, m.name)
			return r.expired(&now)
		})
		return remote.Entry{}, false, nil
	}
	name := r.o.Encoding.Decode(p.Base)
	if p.Owner == partname.PutOwner || p.Base == "" || p.Slot > 1 || r.o.Encoding.Encode(name) != p.Base {
		return remote.Entry{}, false, nil
	}
	if p.Slot == 1 { // of a process that was killed: it counts as kept, unless one of that name is listed too
		_, err := lstat(ctx, c, r.partPath(dir, partname.Name{Owner: p.Owner, Base: p.Base}.String()))
		if !errors.Is(err, fs.ErrNotExist) {
			return remote.Entry{}, false, nil
		}
	}
	return partEntry(m, name, p.Owner), true, nil
}

// removeIdle removes the hidden file part of dir, if want still wants it. One that is being written
// is ErrNotEmpty.
func (r *Remote) removeIdle(ctx context.Context, c *conn, dir, part string, want func() bool) error {
	r.kept.Lock()
	defer r.kept.Unlock()
	hold := stage{in: dir}
	if !r.uploads.claim(&hold, part) {
		return remote.ErrNotEmpty
	}
	defer r.uploads.release(&hold)
	if !want() {
		return nil
	}
	p := r.partPath(dir, part)
	return do(ctx, c, func() error { return c.sftp.Remove(p) })
}

// removeParts removes the hidden files of dir, provided that they are all it holds and that none is
// being written.
func (r *Remote) removeParts(ctx context.Context, c *conn, dir string) error {
	d, err := r.openDir(ctx, c, dir)
	if err != nil {
		return err
	}
	defer d.close()
	var parts []string
	err = d.each(ctx, func(m *meta) (bool, error) {
		if _, ok := partname.Parse(m.name); !ok || !m.regular() || r.uploads.has(dir, m.name) {
			return false, remote.ErrNotEmpty
		}
		parts = append(parts, m.name)
		return true, nil
	})
	if err != nil {
		return err
	}
	if len(parts) == 0 {
		return remote.ErrNotEmpty
	}
	for _, part := range parts {
		err := r.removeIdle(ctx, c, dir, part, func() bool { return true })
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
