package staging

import (
	"context"
	"errors"
	"io/fs"

	"ferry/remote"
	"ferry/remote/partname"
)

// Part implements remote.Stager.
func (p *Parts) Part(ctx context.Context, name, owner string) (remote.Entry, error) {
	var e remote.Entry
	err := p.o.In(ctx, "part", name, func(d Dir, base string) (err error) {
		e, err = p.describe(ctx, d, base, owner)
		return err
	})
	if err != nil {
		return remote.Entry{}, err
	}
	e.Name = remote.BaseOf(name)
	return e, nil
}

// DropPart implements remote.Stager.
func (p *Parts) DropPart(ctx context.Context, name, owner string) error {
	return p.o.In(ctx, "droppart", name, func(d Dir, base string) error { return p.drop(ctx, d, base, owner) })
}

// Kept calls read, for remote.PartReader, with the directory and the name in it of the hidden file
// of the part that owner left of name.
func (p *Parts) Kept(ctx context.Context, name, owner string, read func(d Dir, part string) error) error {
	return p.o.In(ctx, "openpart", name, func(d Dir, base string) error {
		part, err := p.held(ctx, d, base, owner)
		if err != nil {
			return err
		}
		return read(d, part)
	})
}

// describe returns the part that owner left of base in d. The name of the entry is base.
func (p *Parts) describe(ctx context.Context, d Dir, base, owner string) (remote.Entry, error) {
	p.kept.Lock()
	defer p.kept.Unlock()
	info, err := p.find(ctx, d, partname.Name{Owner: owner, Base: base})
	if err != nil {
		return remote.Entry{}, err
	}
	return entry(info, base, owner), nil
}

// held returns the name in d of the hidden file of the part that owner left of base.
func (p *Parts) held(ctx context.Context, d Dir, base, owner string) (string, error) {
	p.kept.Lock()
	defer p.kept.Unlock()
	kept := partname.Name{Owner: owner, Base: base}
	_, err := p.find(ctx, d, kept)
	return kept.String(), err
}

// drop removes the part that owner left of base in d.
func (p *Parts) drop(ctx context.Context, d Dir, base, owner string) error {
	p.kept.Lock()
	defer p.kept.Unlock()
	kept := partname.Name{Owner: owner, Base: base}
	if _, err := p.find(ctx, d, kept); err != nil {
		return err
	}
	return d.Remove(ctx, kept.String())
}

// find describes a part in d. One that is too old is described too, with ErrNotExist.
// LOCKS_REQUIRED(p.kept)
func (p *Parts) find(ctx context.Context, d Dir, kept partname.Name) (Info, error) {
	if !remote.ValidOwner(kept.Owner) {
		return Info{}, remote.ErrInvalid
	}
	p.recover(ctx, d, kept)
	info, err := d.Lstat(ctx, kept.String())
	if err == nil && (!info.Regular || p.expired(info)) {
		err = remote.ErrNotExist
	}
	return info, err
}

// recover keeps what a process that was killed left in the first slot.
// LOCKS_REQUIRED(p.kept)
func (p *Parts) recover(ctx context.Context, d Dir, kept partname.Name) {
	first := kept
	first.Slot = 1
	hold := Stage{in: d.Path()}
	if !p.acquire(&hold, first.String()) {
		return // an upload under way
	}
	defer p.release(&hold)
	if _, err := d.Lstat(ctx, hold.Part); err == nil {
		// When it cannot be renamed, there is none to continue.
		_ = d.Rename(ctx, hold.Part, kept.String(), true)
	}
}

// keep makes a hidden file of d the part that its owner left, in place of what that was before.
func (p *Parts) keep(ctx context.Context, d Dir, part, kept string) error {
	p.kept.Lock()
	defer p.kept.Unlock()
	return d.Rename(ctx, part, kept, true)
}

func entry(info Info, name, owner string) remote.Entry {
	e := info.Entry
	e.Name, e.Part, e.ReadOnly = name, owner, false
	return e
}

// Listed returns the entry that a listing of d has for the hidden file that info describes, if it
// has one. It removes a file that is too old.
func (p *Parts) Listed(ctx context.Context, d Dir, info Info) (remote.Entry, bool) {
	n, ok := partname.Parse(info.Name)
	if !ok || !info.Regular || p.writing(d, info.Name) {
		return remote.Entry{}, false
	}
	if p.expired(info) {
		p.removeExpired(ctx, d, info.Name)
		return remote.Entry{}, false
	}
	if n.Owner == partname.PutOwner || n.Base == "" || n.Slot > 1 {
		return remote.Entry{}, false
	}
	if n.Slot == 1 { // of a process that was killed: it counts as kept, unless one of that name is listed too
		_, err := d.Lstat(ctx, partname.Name{Owner: n.Owner, Base: n.Base}.String())
		if !errors.Is(err, fs.ErrNotExist) {
			return remote.Entry{}, false
		}
	}
	if p.o.Names == nil {
		return entry(info, n.Base, n.Owner), true
	}
	name := p.o.Names.Decode(n.Base)
	return entry(info, name, n.Owner), p.o.Names.Encode(name) == n.Base
}
