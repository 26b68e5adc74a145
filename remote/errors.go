package remote

import (
	"errors"
	"io/fs"
	"syscall"
)

// The errors of every Remote satisfy errors.Is with one of these, or are failures of the transport. They are the io/fs
// and errno values themselves, so that what the operating system reports needs no translation.
var (
	ErrNotExist    = fs.ErrNotExist
	ErrExist       = fs.ErrExist
	ErrPermission  = fs.ErrPermission
	ErrInvalid     = fs.ErrInvalid
	ErrUnsupported = errors.ErrUnsupported

	ErrIsDir    error = syscall.EISDIR
	ErrNotDir   error = syscall.ENOTDIR
	ErrNotEmpty error = syscall.ENOTEMPTY
	ErrNoSpace  error = syscall.ENOSPC
	ErrQuota    error = syscall.EDQUOT
	ErrBadName  error = syscall.EILSEQ // the remote cannot hold a file of that name
)
