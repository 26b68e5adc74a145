package remote

import (
	"context"
	"errors"
	"io/fs"
	"syscall"
)

// The errors of every Remote satisfy errors.Is with one of these, or are failures of the transport.
// They are the io/fs and errno values themselves, so that what the operating system reports needs
// no translation.
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
	ErrTooLarge error = syscall.EFBIG  // the remote cannot hold a file of that length, however empty it is
	ErrChanged  error = syscall.ESTALE // the file is another version than the one that was asked for

	// ErrMalformed is an answer that is not understood, and will not be when it comes again.
	ErrMalformed = errors.New("the answer of the remote is not understood")
)

// ErrArchived says that the content of a file cannot be read before somebody restores it. It is an
// ErrPermission, and its text is for the client as well.
var ErrArchived error = archivedError{}

type archivedError struct{}

func (archivedError) Error() string { return "the object is archived; restore it first" }

// Hint is what an FTP client is told.
func (archivedError) Hint() string { return "The object is archived; restore it first." }

func (archivedError) Unwrap() error { return ErrPermission }

// Permanent reports whether the same call would fail with err again: err is one of the sentinels of
// this package, which are a remote's answers, or one of Final, or a call that was cancelled.
// Everything else is a failure on the way to the answer, a time-out of a driver's own included
// (context.DeadlineExceeded); whether the caller's own time is over, its context tells.
func Permanent(err error) bool {
	if IsFinal(err) {
		return true
	}
	for _, answer := range []error{
		ErrNotExist, ErrExist, ErrPermission, ErrInvalid, ErrUnsupported, ErrIsDir, ErrNotDir, ErrNotEmpty, ErrNoSpace,
		ErrQuota, ErrBadName, ErrTooLarge, ErrChanged, ErrSize, ErrMalformed, context.Canceled,
	} {
		if errors.Is(err, answer) {
			return true
		}
	}
	return false
}
