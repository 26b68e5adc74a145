package sftp

import (
	"context"

	"ferry/remote"
	"ferry/remote/partname"
)

// Copy implements remote.Copier, where the server can copy.
func (r *Remote) Copy(ctx context.Context, from, to string) error {
	if err := r.check(ctx, "copy", from); err != nil {
		return err
	}
	return r.with(ctx, "copy", to, func(c *conn) error {
		m, err := r.find(ctx, c, from)
		switch {
		case err != nil:
			return fail("copy", from, err)
		case m.mode.IsDir():
			return fail("copy", from, remote.ErrIsDir)
		}
		s, err := r.begin(ctx, to, remote.StageOptions{Owner: partname.PutOwner})
		if err != nil {
			return err
		}
		defer s.Abort() // which does nothing after Commit
		if err := r.copyInside(ctx, c, r.path(from), s.at().server(s.Part), m.size); err != nil {
			return err
		}
		_, err = s.Commit(ctx, m.modTime)
		return err
	})
}
