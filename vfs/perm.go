package vfs

import (
	"io/fs"

	"ferry/ftp"
)

// Permitted returns the operations allowed on name, which info describes. It makes no request: an
// allowed operation may still fail for a reason that only the remote knows.
func (v *View) Permitted(name string, info fs.FileInfo) ftp.Perm {
	i, known := info.(*Info)
	if known && i.part {
		if v.fs.readOnly() {
			return 0
		}
		return ftp.PermWrite | ftp.PermDelete
	}
	if v.fs.readOnly() {
		return ftp.PermRead
	}
	perm := ftp.PermRead | ftp.PermDelete | ftp.PermRename
	changes := ftp.PermWrite
	if info.IsDir() {
		changes = ftp.PermCreate | ftp.PermPurge
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
