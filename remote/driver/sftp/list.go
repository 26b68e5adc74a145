package sftp

import (
	"context"
	"errors"
	"io/fs"
	"iter"

	"ferry/remote"
	"ferry/remote/partname"
)

// List implements remote.Remote. A link to something that is not there is left out.
func (r *Remote) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return remote.Entries(func(take func(remote.Entry) bool) error {
		return r.with(ctx, "list", dir, func(c *conn) error {
			d, err := r.openDir(ctx, c, dir)
			if err != nil {
				return err
			}
			defer d.close()
			return d.each(ctx, func(m *meta) (bool, error) {
				e, ok, err := r.listed(ctx, c, dir, m)
				return err == nil && (!ok || take(e)), err
			})
		})
	})
}

// listed returns the entry that List yields for m, if it yields one.
func (r *Remote) listed(ctx context.Context, c *conn, dir string, m *meta) (remote.Entry, bool, error) {
	name, omitted := remote.ReadName(r.o.Encoding, m.name)
	switch {
	case partname.Hidden(m.name):
		e, ok := r.parts.Listed(ctx, r.over(c, dir), hidden(m))
		return e, ok, nil
	case omitted != "":
		remote.Omitted(ctx, m.name, omitted)
		return remote.Entry{}, false, nil
	}
	if m.mode&fs.ModeSymlink != 0 || !m.perms {
		found, err := r.find(ctx, c, remote.Join(dir, name))
		switch {
		case errors.Is(err, remote.ErrNotExist):
			return remote.Entry{}, false, nil
		case errors.Is(err, remote.ErrPermission), unexplained(err):
			remote.Omitted(ctx, m.name, "it may not be looked at")
			return remote.Entry{}, false, nil
		case err != nil:
			return remote.Entry{}, false, err
		}
		*m = found
	}
	if !m.regular() && !m.mode.IsDir() {
		return remote.Entry{}, false, nil
	}
	return entry(m, name), true, nil
}
