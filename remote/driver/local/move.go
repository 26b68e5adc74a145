package local

import (
	"context"
	"errors"
	"io/fs"
	"syscall"

	"ferry/remote"
)

// Move implements remote.Mover. Between file systems below the root it is ErrUnsupported.
func (r *Remote) Move(ctx context.Context, from, to string) error {
	if err := check(ctx, "move", from); err != nil {
		return err
	}
	if err := check(ctx, "move", to); err != nil {
		return err
	}
	return fail("move", from, r.move(from, to))
}

func (r *Remote) move(from, to string) error {
	fromDir, fromBase, err := r.parent(from)
	if err != nil {
		return err
	}
	defer fromDir.close()
	m, err := r.find(fromDir, fromBase, from)
	switch {
	case err != nil:
		return err
	case from == to:
		return nil
	case remote.Below(to, from):
		return remote.ErrInvalid
	}
	toDir, toBase, err := r.parent(to)
	if err != nil {
		return err
	}
	defer toDir.close()
	if m.kind == directory {
		return r.moveDir(fromDir, fromBase, toDir, toBase, from, to)
	}
	return r.moveFile(fromDir, fromBase, toDir, toBase, &m)
}

func (r *Remote) moveDir(fromDir dir, fromBase string, toDir dir, toBase, from, to string) error {
	if to == "." {
		return remote.ErrExist
	}
	if err := sameDevice(fromDir.rename(fromBase, toDir, toBase, false)); err != nil {
		return err
	}
	r.parts.Moved(from, to)
	return nil
}

// moveFile renames a file over what may be replaced.
func (r *Remote) moveFile(fromDir dir, fromBase string, toDir dir, toBase string, m *meta) error {
	old, err := toDir.lstat(toBase)
	if errors.Is(err, fs.ErrNotExist) {
		return sameDevice(fromDir.rename(fromBase, toDir, toBase, true))
	}
	if err == nil {
		err = r.replaceable(toDir, toBase, &old)
	}
	if err != nil {
		return err
	}
	if m.ino == old.ino && m.dev == old.dev && m.ino != 0 && !caseInsensitive {
		// Two names of one file: of hard links the system would leave both (rename(2)), and a link
		// would replace what it leads to.
		return fromDir.remove(fromBase)
	}
	return sameDevice(fromDir.rename(fromBase, toDir, toBase, true))
}

// sameDevice returns ErrUnsupported for the error of a rename from one file system to another.
func sameDevice(err error) error {
	if errors.Is(err, syscall.EXDEV) {
		return remote.ErrUnsupported
	}
	return err
}

// replaceable returns nil if a file may be put in the place of old, which d holds as base.
func (r *Remote) replaceable(d dir, base string, old *meta) error {
	switch {
	case old.kind == directory:
		return remote.ErrIsDir
	case old.kind == special, old.kind == link && !r.o.CopyLinks:
		return remote.ErrPermission
	case old.kind == link:
		return nil
	}
	return d.writable(base)
}
