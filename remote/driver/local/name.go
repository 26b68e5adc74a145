package local

import (
	"context"

	"ferry/remote"
	"ferry/remote/partname"
)

// CheckName implements remote.NameChecker.
func (r *Remote) CheckName(name string) error { return check(context.Background(), "checkname", name) }

// check is what every operation begins with.
func check(ctx context.Context, op, name string) error {
	return fail(op, name, remote.CheckHeld(ctx, name, holdable))
}

// holdable reports whether a file may have the name: the system can hold it, and it is not hidden.
func holdable(elem string) bool { return len(elem) <= maxName && !partname.Hidden(elem) && holds(elem) }

// parent opens the directory that holds name. The caller closes it.
func (r *Remote) parent(name string) (d dir, base string, err error) {
	in, base := remote.Split(name)
	d, err = r.tree.dir(in)
	return d, base, err
}

// find describes the file or directory that d holds as base, which is name in the remote, and
// follows it where it is a link and links are followed.
func (r *Remote) find(d dir, base, name string) (meta, error) {
	m, err := d.lstat(base)
	if err != nil {
		return meta{}, err
	}
	switch m.kind {
	case special:
		return meta{}, remote.ErrPermission
	case link:
		if !r.o.CopyLinks {
			return meta{}, remote.ErrNotExist
		}
		if m, err = r.tree.stat(name); err != nil {
			return meta{}, err
		}
		if m.kind == special {
			return meta{}, remote.ErrPermission
		}
		m.name = base
	}
	return m, nil
}
