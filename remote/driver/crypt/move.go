package crypt

import (
	"context"
	"errors"

	"ferry/remote"
)

// Move implements remote.Mover.
func (r *Remote) Move(ctx context.Context, from, to string) error {
	a, err := r.find(from)
	b := place{}
	if err == nil {
		if b, err = r.fits(to); err != nil && remote.ValidPath(to) {
			if _, missing := r.stat(ctx, a); missing != nil {
				err = missing
			}
		}
	}
	if err == nil {
		err = r.move(ctx, from, to, a, b)
	}
	return remote.Renamed("move", from, err)
}

func (r *Remote) move(ctx context.Context, from, to string, a, b place) error {
	if !a.split() && !b.split() {
		return remote.Move(ctx, r.below, a.file, b.file)
	}
	e, err := r.stat(ctx, a)
	if err != nil || from == to {
		return err
	}
	r.dirs.forget()
	if !e.Dir {
		if err := r.free(ctx, to, b); err != nil {
			return err
		}
		return remote.Move(ctx, r.below, a.file, b.file)
	}
	if b.split() {
		switch e, err := r.below.Stat(ctx, b.file); {
		case err == nil && !e.Dir:
			return remote.ErrExist
		case err != nil && !missing(err):
			return err
		}
	}
	if err := r.parentsAreDirs(ctx, to); err != nil {
		return err
	}
	return remote.Move(ctx, r.below, a.dir, b.dir)
}

// Copy implements remote.Copier. The copy has the same nonce, as it has the same content.
func (r *Remote) Copy(ctx context.Context, from, to string) error {
	a, err := r.find(from)
	b := place{}
	if err == nil {
		b, err = r.fits(to)
	}
	if err == nil && (a.split() || b.split()) {
		err = r.free(ctx, to, b)
	}
	if err == nil {
		err = r.isDir(ctx, a, remote.Copy(ctx, r.below, a.file, b.file))
	}
	return remote.Renamed("copy", from, err)
}

// CheckTarget implements remote.TargetChecker.
func (r *Remote) CheckTarget(ctx context.Context, name string) error {
	p, err := r.find(name)
	if err == nil {
		err = remote.CheckTarget(ctx, r.below, p.file)
	}
	if err == nil || errors.Is(err, remote.ErrUnsupported) {
		if p.split() || r.info.Caps.ImplicitDirs && !r.cipher.SameNames() {
			if inTheWay := r.free(ctx, name, p); inTheWay != nil {
				err = inTheWay
			}
		}
	}
	return remote.Renamed("checktarget", name, err)
}
