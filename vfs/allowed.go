package vfs

import (
	"context"

	"ferry/remote"
)

// writable returns the error of a change to a tree that cannot be changed.
func (v *View) writable(op, name string) error {
	if v.fs.readOnly() {
		return refuse(op, name, remote.ErrPermission, hintReadOnly)
	}
	return nil
}

// mayMake returns the error of making a file or directory that may not be.
func (v *View) mayMake(ctx context.Context, op, name string, dir bool) error {
	if err := v.writable(op, name); err != nil || v.fs.opt.MayMake == nil {
		return err
	}
	return v.fs.opt.MayMake(ctx, name, dir)
}

// mayRename returns the error of giving from a name that it may not have.
func (v *View) mayRename(ctx context.Context, from, to string) error {
	if err := v.writable("rename", from); err != nil || v.fs.opt.MayMake == nil {
		return err
	}
	info, err := v.Stat(ctx, from)
	if err != nil {
		return err
	}
	return v.fs.opt.MayMake(ctx, to, info.IsDir())
}
