package local

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
	err := r.withPart(ctx, "part", name, owner, func(_ dir, m meta, _ string) error {
		e = r.partEntry(&m, partname.Name{Owner: owner, Base: m.name})
		return nil
	})
	return e, err
}

// DropPart implements remote.Stager.
func (r *Remote) DropPart(ctx context.Context, name, owner string) error {
	return r.withPart(ctx, "droppart", name, owner, func(d dir, _ meta, part string) error { return d.remove(part) })
}

// withPart calls use with the part that owner left of name. Its meta has the name of the upload,
// not of the hidden file.
func (r *Remote) withPart(ctx context.Context, op, name, owner string, use func(d dir, m meta, part string) error) error {
	if err := check(ctx, op, name); err != nil {
		return err
	}
	if !remote.ValidOwner(owner) {
		return fail(op, name, remote.ErrInvalid)
	}
	in, base := remote.Split(name)
	d, err := r.tree.dir(in)
	if err != nil {
		return fail(op, name, err)
	}
	defer d.close()
	r.kept.Lock()
	defer r.kept.Unlock()
	m, part, err := r.keptPart(d, in, base, owner)
	if err != nil {
		return fail(op, name, err)
	}
	m.name = base
	return fail(op, name, use(d, m, part))
}

// keep makes the hidden file part of d what its owner left of an upload, in place of what that was
// before.
func (r *Remote) keep(d dir, part string, p partname.Name) error {
	r.kept.Lock()
	defer r.kept.Unlock()
	return d.rename(part, d, p.String(), true)
}

// keptPart describes the unfinished upload that owner left of name in d, the directory in. One that
// is too old is not there.
// LOCKS_REQUIRED(r.kept)
func (r *Remote) keptPart(d dir, in, name, owner string) (m meta, part string, err error) {
	kept := partname.Name{Owner: owner, Base: name}
	r.recoverPart(d, in, kept)
	part = kept.String()
	m, err = d.lstat(part)
	if err == nil && (m.kind != regular || r.expired(&m)) {
		err = remote.ErrNotExist
	}
	return m, part, err
}

// recoverPart keeps what a process that was killed left in the first slot.
// LOCKS_REQUIRED(r.kept)
func (r *Remote) recoverPart(d dir, in string, kept partname.Name) {
	first := kept
	first.Slot = 1
	var hold stage
	if !r.uploads.claim(&hold, remote.Join(in, first.String())) {
		return // an upload under way
	}
	defer r.uploads.release(&hold)
	// There hardly ever is one; when it cannot be renamed, there is none to continue.
	_ = d.rename(first.String(), d, kept.String(), true)
}

func (r *Remote) partEntry(m *meta, p partname.Name) remote.Entry {
	e := r.entry(m)
	e.Name = p.Base
	e.Part = p.Owner
	e.ReadOnly = false
	return e
}

// listedPart returns the entry that List yields for the hidden file m in d, the directory in, if it
// yields one. It removes what is too old.
func (r *Remote) listedPart(d dir, in string, m *meta) (remote.Entry, bool) {
	p, ok := partname.Parse(m.name)
	if !ok || m.kind != regular || r.uploads.has(remote.Join(in, m.name)) {
		return remote.Entry{}, false
	}
	if r.expired(m) {
		r.removeExpired(d, in, m.name)
		return remote.Entry{}, false
	}
	if p.Owner == partname.PutOwner || p.Base == "" || p.Slot > 1 {
		return remote.Entry{}, false
	}
	if p.Slot == 1 { // of a process that was killed: it counts as kept, unless one of that name is listed too
		if _, err := d.lstat(partname.Name{Owner: p.Owner, Base: p.Base}.String()); !errors.Is(err, fs.ErrNotExist) {
			return remote.Entry{}, false
		}
	}
	return r.partEntry(m, p), true
}

// removeExpired removes the hidden file part of d, the directory in, if nobody writes to it and it
// is still too old. Whoever comes across the next one tries again, so nothing is reported.
func (r *Remote) removeExpired(d dir, in, part string) {
	_ = r.removeIdle(d, in, part, func() bool {
		m, err := d.lstat(part)
		return err == nil && m.kind == regular && r.expired(&m)
	})
}

// removeIdle removes the hidden file part of d, the directory in, if want still wants it. One that
// is being written is ErrNotEmpty.
func (r *Remote) removeIdle(d dir, in, part string, want func() bool) error {
	r.kept.Lock()
	defer r.kept.Unlock()
	var hold stage
	if !r.uploads.claim(&hold, remote.Join(in, part)) {
		return remote.ErrNotEmpty
	}
	defer r.uploads.release(&hold)
	if !want() {
		return nil
	}
	return d.remove(part)
}

// removeParts removes the hidden files of d, the directory in, provided that they are all it holds
// and that none is being written.
func (r *Remote) removeParts(ctx context.Context, d dir, in string) error {
	var parts []string
	err := d.list(ctx, func(m *meta) bool {
		_, ok := partname.Parse(m.name)
		if !ok || m.kind != regular || r.uploads.has(remote.Join(in, m.name)) {
			parts = nil
			return false
		}
		parts = append(parts, m.name)
		return true
	})
	if err != nil {
		return err
	}
	if len(parts) == 0 {
		return remote.ErrNotEmpty
	}
	for _, part := range parts {
		err := r.removeIdle(d, in, part, func() bool { return true })
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
