package sftp

import (
	"context"
	"errors"
	"io/fs"

	"ferry/remote"
)

// Move implements remote.Mover.
func (r *Remote) Move(ctx context.Context, from, to string) error {
	if err := r.check(ctx, "move", to); err != nil {
		return err
	}
	return r.with(ctx, "move", from, func(c *conn) error { return r.move(ctx, c, from, to) })
}

func (r *Remote) move(ctx context.Context, c *conn, from, to string) error {
	m, err := r.find(ctx, c, from)
	switch {
	case err != nil:
		return err
	case from == to:
		return nil
	case remote.Below(to, from):
		return remote.ErrInvalid
	}
	old, err := r.find(ctx, c, to)
	exists := err == nil
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case exists && m.mode.IsDir():
		return remote.ErrExist
	case exists && old.mode.IsDir():
		return remote.ErrIsDir
	case exists && old.readOnly():
		return remote.ErrPermission
	}
	src, dst := r.path(from), r.path(to)
	if !m.mode.IsDir() {
		return r.replace(ctx, c, src, dst)
	}
	// Not posix-rename, which would replace an empty directory that appears meanwhile.
	err = commit(ctx, c, func(ctx context.Context) error {
		return belowFile(ctx, c, dst, c.sftp.Rename(src, dst))
	})
	if err != nil {
		return err
	}
	r.parts.Moved(from, to)
	return nil
}
