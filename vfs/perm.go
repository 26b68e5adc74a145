package vfs

import "io/fs"

// Perm is a set of things that may be done with a file or directory.
type Perm uint8

const (
	PermRead   Perm = 1 << iota // read a file, or enter and list a directory
	PermWrite                   // replace the file, or append to it
	PermCreate                  // create files and directories in a directory
	PermDelete                  // delete the file, or remove the empty directory
	PermRename                  // rename it
	PermPurge                   // delete what is in a directory
)

// Permitted tells what may be done with name, which info describes. It asks nobody: an operation
// that it names may still fail for a reason that only the remote sees.
func (v *View) Permitted(name string, info fs.FileInfo) Perm {
	i, known := info.(*Info)
	if known && i.part {
		if v.fs.readOnly() {
			return 0
		}
		return PermWrite | PermDelete
	}
	if v.fs.readOnly() {
		return PermRead
	}
	perm := PermRead | PermDelete | PermRename
	changes := PermWrite
	if info.IsDir() {
		changes = PermCreate | PermPurge
		if !v.fs.caps.MoveDir {
			perm &^= PermRename
		}
	}
	if !known || !i.readOnly {
		perm |= changes
	}
	if name == "." {
		perm &^= PermDelete | PermRename
	}
	return perm
}
