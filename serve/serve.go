// Package serve implements the Backend of the FTP engine (ftp) with logins (auth) and a tree of
// files (vfs).
package serve

import (
	"context"

	"ferry/auth"
	"ferry/ftp"
	"ferry/serve/prehooks"
	"ferry/vfs"
)

// A Backend gives each login its view of one tree. Auth and Tree are required.
type Backend struct {
	Auth  auth.Authenticator
	Tree  *vfs.FS
	Hooks *prehooks.Hooks // that are asked; nil = none
}

var _ ftp.Backend = (*Backend)(nil)

// Login authenticates with Auth and returns the view of that identity.
func (b *Backend) Login(ctx context.Context, c ftp.Client, user, password string) (ftp.FS, error) {
	id, err := b.Auth.Authenticate(ctx, auth.Login{
		User: user, Password: password, IP: c.Remote.Addr(), Local: c.Local.Addr(), TLS: c.TLS,
	})
	if err != nil {
		return nil, loginError(err)
	}
	view := b.Tree.ViewFrom(id.Owner, c.Addr().String())
	if b.Hooks == nil {
		return view, nil
	}
	return b.asked(ctx, view, &c, user)
}

// asked returns view if the hooks let the user in, with what they do to it. It is not a part of
// Login, whose stack a session keeps while it is idle.
func (b *Backend) asked(ctx context.Context, view *vfs.View, c *ftp.Client, user string) (ftp.FS, error) {
	if err := b.Hooks.Login(ctx, *c, user); err != nil {
		return nil, err
	}
	return b.Hooks.Ask(b.Hooks.Check(view, *c, user), *c, user), nil
}

var (
	_ ftp.FS         = (*vfs.View)(nil)
	_ ftp.ModTimer   = (*vfs.View)(nil)
	_ ftp.Sizer      = (*vfs.View)(nil)
	_ ftp.Moder      = (*vfs.View)(nil)
	_ ftp.Hasher     = (*vfs.View)(nil)
	_ ftp.Spacer     = (*vfs.View)(nil)
	_ ftp.Permitter  = (*vfs.View)(nil)
	_ ftp.Owned      = (*vfs.Info)(nil)
	_ ftp.Identified = (*vfs.Info)(nil)
	_ ftp.Partial    = (*vfs.Info)(nil)
)
