package vfs

import (
	"context"

	"ferry/remote"
)

// writable returns the error of a change to name, where the tree cannot be changed, or name cannot.
func (v *View) writable(ctx context.Context, op, name string) error {
	if v.fs.readOnly() {
		return refuse(op, name, remote.ErrPermission, hintReadOnly)
	}
	if v.fs.opt.Refuse != nil {
		return v.fs.opt.Refuse(ctx, name)
	}
	return nil
}
