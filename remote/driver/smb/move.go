package smb

import (
	"context"
	"errors"
	"strings"

	smb2 "github.com/cloudsoda/go-smb2"

	"ferry/remote"
)

// Move implements remote.Mover. Between shares it is ErrUnsupported.
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
	case to == "." && !m.dir():
		return remote.ErrIsDir
	case to == ".":
		return remote.ErrExist
	}
	src, dst := r.target(from), r.target(to)
	if err := errors.Join(src.shareOnly(), dst.shareOnly()); err != nil {
		return err
	}
	if src.share != dst.share {
		return remote.ErrUnsupported
	}
	if !r.info.Caps.CaseInsensitive || !strings.EqualFold(src.path, dst.path) {
		if err := r.replaceable(ctx, c, to, m.dir()); err != nil {
			return err
		}
	}
	if err := r.rename(ctx, c, src, dst); err != nil {
		return err
	}
	if m.dir() {
		r.parts.Moved(from, to)
	}
	return nil
}

// replaceable returns why nothing can be renamed to a name, nil if something can.
func (r *Remote) replaceable(ctx context.Context, c *conn, to string, byDir bool) error {
	old, err := r.find(ctx, c, to)
	switch {
	case errors.Is(err, remote.ErrNotExist):
		return nil
	case err != nil:
		return err
	case byDir:
		return remote.ErrExist
	case old.dir():
		return remote.ErrIsDir
	case old.attrs&attrReadOnly != 0:
		return remote.ErrPermission
	}
	return nil
}

// rename renames a file over an old one, or a directory.
func (r *Remote) rename(ctx context.Context, c *conn, src, dst target) error {
	return r.files.change(ctx, c, func(s *smb2.Share) error {
		err := s.Rename(src.path, dst.path)
		if err == nil {
			r.files.moved(src, dst)
		}
		return err
	}, src, dst)
}
