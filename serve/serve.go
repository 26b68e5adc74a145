// Package serve joins who may log in (auth) and what is served (vfs) into what the FTP engine asks
// for.
package serve

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"ferry/auth"
	"ferry/ftp"
	"ferry/vfs"
)

// A Backend gives each login its view of one tree. Both fields are required.
type Backend struct {
	Auth auth.Authenticator
	Tree *vfs.FS
}

var _ ftp.Backend = (*Backend)(nil)

// Login asks Auth and returns the tree as that identity sees it.
func (b *Backend) Login(ctx context.Context, c ftp.Client, user, password string) (ftp.FS, error) {
	id, err := b.Auth.Authenticate(ctx, auth.Login{User: user, Password: password, IP: c.Remote.Addr()})
	if errors.Is(err, auth.ErrDenied) {
		return nil, fmt.Errorf("%w: %w", ftp.ErrDenied, err)
	}
	if err != nil {
		return nil, err
	}
	return &tree{b.Tree.ViewFrom(id.Owner, c.Addr().String())}, nil
}

// tree is a View with the types of package ftp where the two packages declare the same thing.
type tree struct {
	*vfs.View
}

var (
	_ ftp.FS         = (*tree)(nil)
	_ ftp.ModTimer   = (*tree)(nil)
	_ ftp.Sizer      = (*tree)(nil)
	_ ftp.Moder      = (*tree)(nil)
	_ ftp.Hasher     = (*tree)(nil)
	_ ftp.Spacer     = (*tree)(nil)
	_ ftp.Permitter  = (*tree)(nil)
	_ ftp.Owned      = (*vfs.Info)(nil)
	_ ftp.Identified = (*vfs.Info)(nil)
)

// These differences must be 0: what the two packages declare separately has the same values.
const (
	_ = -uint(ftp.AtEnd - vfs.AtEnd)
	_ = -uint(ftp.PermRead ^ ftp.Perm(vfs.PermRead))
	_ = -uint(ftp.PermWrite ^ ftp.Perm(vfs.PermWrite))
	_ = -uint(ftp.PermCreate ^ ftp.Perm(vfs.PermCreate))
	_ = -uint(ftp.PermDelete ^ ftp.Perm(vfs.PermDelete))
	_ = -uint(ftp.PermRename ^ ftp.Perm(vfs.PermRename))
	_ = -uint(ftp.PermPurge ^ ftp.Perm(vfs.PermPurge))
)

func (t *tree) Create(ctx context.Context, name string, off int64) (ftp.Upload, error) {
	u, err := t.View.Create(ctx, name, off)
	if err != nil {
		return nil, err
	}
	return u, nil
}

func (t *tree) Permitted(name string, info fs.FileInfo) ftp.Perm {
	return ftp.Perm(t.View.Permitted(name, info))
}
