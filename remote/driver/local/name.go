package local

import (
	"context"
	"strings"

	"ferry/remote"
	"ferry/remote/partname"
)

// CheckName implements remote.NameChecker.
func (r *Remote) CheckName(name string) error { return check(context.Background(), "checkname", name) }

// check is what every operation begins with.
func check(ctx context.Context, op, name string) error {
	switch {
	case !remote.ValidPath(name):
		return fail(op, name, remote.ErrInvalid)
	case !holdable(name):
		return fail(op, name, remote.ErrBadName)
	case ctx.Err() != nil:
		return fail(op, name, context.Cause(ctx))
	}
	return nil
}

// holdable reports whether a file may have the name: every element is one the system can hold, and
// none is hidden.
func holdable(name string) bool {
	for elem := range strings.SplitSeq(name, "/") {
		if len(elem) > maxName || partname.Hidden(elem) || !holds(elem) {
			return false
		}
	}
	return true
}

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
