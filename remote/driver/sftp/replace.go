package sftp

import (
	"context"
	"errors"
	"io/fs"

	"ferry/remote/driver/internal/conns"
)

// replace renames from to to, over an old file. Where the server cannot, the old one is set aside
// meanwhile: that is not begun when nobody waits any more, and not left half done.
func (r *Remote) replace(ctx context.Context, c *conn, from, to string) error {
	if _, ok := c.sftp.HasExtension("posix-rename@openssh.com"); ok {
		return commit(ctx, c, func(context.Context) error { return c.sftp.PosixRename(from, to) })
	}
	return commit(ctx, c, func(ctx context.Context) error {
		err := c.sftp.Rename(from, to)
		if !unexplained(err) && !errors.Is(err, fs.ErrExist) {
			return err
		}
		old, statErr := c.sftp.Lstat(to)
		if statErr != nil || old.IsDir() || ctx.Err() != nil {
			return err
		}
		return r.replaceAside(c, from, to)
	})
}

// replaceAside is replace for a file that is there and that the server does not rename over.
func (r *Remote) replaceAside(c *conn, from, to string) error {
	aside := from + "#"
	if err := c.sftp.Rename(to, aside); err != nil {
		if unanswered(err) {
			r.putBack(aside, to)
		}
		return err
	}
	if err := c.sftp.Rename(from, to); err != nil {
		back := c.sftp.Rename(aside, to)
		if unanswered(back) {
			r.putBack(aside, to)
		}
		return errors.Join(err, back)
	}
	_ = c.sftp.Remove(aside) // to is what it should be
	return nil
}

// putBack lets the file set aside have its name again, over another connection as its own is lost,
// unless another file has it by now.
func (r *Remote) putBack(aside, to string) {
	ctx, cancel := context.WithTimeout(context.Background(), conns.Patience)
	defer cancel()
	c, err := r.pool.Get(ctx)
	if err != nil {
		return
	}
	defer r.pool.Put(c)
	_ = conns.Do(ctx, c, func() error { // the change was reported as in doubt
		if err := c.sftp.Rename(aside, to); err == nil || !unexplained(err) && !errors.Is(err, fs.ErrExist) {
			return err
		}
		if _, err := c.sftp.Lstat(to); err != nil {
			return err
		}
		return c.sftp.Remove(aside)
	})
}
