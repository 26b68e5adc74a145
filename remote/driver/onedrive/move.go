package onedrive

import (
	"context"
	"errors"
	"strings"

	"ferry/remote"
)

// Move implements remote.Mover. Between drives nothing moves: that is ErrUnsupported.
func (r *Remote) Move(ctx context.Context, from, to string) error {
	err := check(ctx, from)
	if err == nil {
		err = r.checkNew(ctx, to)
	}
	if err == nil {
		err = r.move(ctx, from, to)
	}
	return remote.Fail("move", from, err)
}

func (r *Remote) move(ctx context.Context, from, to string) error {
	f, err := r.look(ctx, from)
	isDir := err == nil && f.item.isDir()
	switch {
	case err != nil:
		return err
	case from == to:
		return nil
	case isDir && (from == "." || remote.Below(strings.ToLower(to), strings.ToLower(from))):
		return remote.ErrInvalid
	case to == "." && isDir:
		return remote.ErrExist
	case to == ".":
		return remote.ErrIsDir
	}
	old, err := r.look(ctx, to)
	if err != nil && !errors.Is(err, remote.ErrNotExist) {
		return err
	}
	there := err == nil && old.self != f.self // else it is the name of the same item in other letters
	switch {
	case there && isDir:
		return remote.ErrExist
	case there && old.item.isDir():
		return remote.ErrIsDir
	}
	in, err := r.dir(ctx, to)
	if err != nil {
		return err
	}
	if in.target.drive != f.self.drive {
		return remote.ErrUnsupported
	}
	if !isDir {
		if err := r.dropReplaced(ctx, from); err != nil {
			return err
		}
	}
	_, base := remote.Split(to)
	goes := place{in.target.id, r.opt.Encoding.Encode(base)}
	if there {
		err = r.replace(ctx, f, old, goes, to)
	} else {
		err = r.rename(ctx, f.self, goes, "")
		if errors.Is(err, remote.ErrExist) && !isDir {
			err = r.moveOver(ctx, f, goes, to)
		}
	}
	if err == nil {
		r.moved(f, from, to)
	}
	return err
}

// moveOver is for a file that appeared under the new name just now.
func (r *Remote) moveOver(ctx context.Context, f *found, goes place, to string) error {
	old, err := r.look(ctx, to)
	switch {
	case err != nil:
		return err
	case old.item.isDir():
		return remote.ErrIsDir
	case old.self == f.self:
		return nil
	}
	return r.replace(ctx, f, old, goes, to)
}

// moved takes note of what has another name now.
func (r *Remote) moved(f *found, from, to string) {
	if f.item.isDir() {
		r.mounts.forget(from)
		r.mounts.saw(to, f)
		r.asides.forget()
	}
	r.known.moved(f.item.ID, to)
}
