package vfs

import (
	"context"
	"io/fs"

	"ferry/ftp"
	"ferry/remote"
)

// Permitted returns the operations allowed on name, which info describes. It makes no request: an
// allowed operation may still fail for a reason that only the remote knows.
func (v *View) Permitted(name string, info fs.FileInfo) ftp.Perm {
	i, known := info.(*Info)
	if known && i.part {
		if v.fs.readOnly() {
			return 0
		}
		return ftp.PermWrite | ftp.PermAppend | ftp.PermDelete
	}
	perm := ftp.PermRead
	if info.IsDir() {
		perm |= ftp.PermEnter
	}
	if v.fs.readOnly() {
		return perm
	}
	perm |= ftp.PermDelete | ftp.PermRename
	changes := ftp.PermWrite | ftp.PermAppend
	if info.IsDir() {
		changes = ftp.PermCreate | ftp.PermMkdir | ftp.PermPurge
		if !v.fs.caps.MoveDir {
			perm &^= ftp.PermRename
		}
	}
	if !known || !i.readOnly {
		perm |= changes
	}
	if name == "." {
		perm &^= ftp.PermDelete | ftp.PermRename
	}
	return perm
}

// readOnly reports whether nothing in the tree can be changed.
func (f *FS) readOnly() bool { return f.opt.ReadOnly || f.caps.ReadOnly }

// writable returns an error if the tree is read-only.
func (v *View) writable(op, name string) error {
	if v.fs.readOnly() {
		return refuse(op, name, remote.ErrPermission, hintReadOnly)
	}
	return nil
}

// allowCreate returns an error if the file or directory may not be created.
func (v *View) allowCreate(ctx context.Context, op, name string, dir bool) error {
	if err := v.writable(op, name); err != nil || v.fs.opt.AllowCreate == nil {
		return err
	}
	return v.fs.opt.AllowCreate(ctx, name, dir)
}
