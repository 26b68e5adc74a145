package remote

import (
	"context"
	"errors"
	"io/fs"
	"syscall"
)

// The errors of every Remote satisfy errors.Is with one of these, or are failures of the transport.
// They are the io/fs and errno values themselves, so that errors of the operating system need no
// translation.
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
	ErrTooLarge error = syscall.EFBIG  // the remote cannot hold a file of that length, however much space is free
	ErrChanged  error = syscall.ESTALE // the file is not the requested version

	// ErrMalformed is an answer that cannot be parsed, nor if the call is repeated.
	ErrMalformed = errors.New("the answer of the remote is not understood")
)

// ErrArchived means that the content of a file cannot be read until it is restored from the
// archive. It is an ErrPermission, and its text is also meant for the client.
var ErrArchived error = archivedError{}

type archivedError struct{}

func (archivedError) Error() string { return "the object is archived; restore it first" }

// Hint returns the text for an FTP client.
func (archivedError) Hint() string { return "The object is archived; restore it first." }

func (archivedError) Unwrap() error { return ErrPermission }

// ErrFinished says more than ErrNotExist, which it is: there is no unfinished upload any more
// because its owner has finished it, or stored the file anew, through another process.
var ErrFinished error = finishedError{}

type finishedError struct{}

func (finishedError) Error() string { return "the upload was finished through another process" }

func (finishedError) Unwrap() error { return ErrNotExist }

// Fail returns err as every error of a remote is: a *fs.PathError about name. nil stays nil.
func Fail(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// FailOnce is Fail for what may have failed before: an error that is about name already stays as it
// is. Of any other one translate says what it means, unless translate is nil.
func FailOnce(op, name string, err error, translate func(error) error) error {
	var about *fs.PathError
	if errors.As(err, &about) && about.Path == name {
		return err
	}
	if err != nil && translate != nil {
		err = translate(err)
	}
	return Fail(op, name, err)
}

// Renamed returns err as one about name. It is for a remote that is made of others, whose errors
// are about the names there: in a *fs.PathError, name takes the place of the other name; any other
// error gets op and name put before it. nil stays nil.
func Renamed(op, name string, err error) error {
	if err == nil {
		return nil
	}
	if of, ok := err.(*fs.PathError); ok { // what is around one, such as Final, must stay
		op, err = of.Op, of.Err
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// Permanent reports whether the same call would fail with err again: err is a sentinel of this
// package (an answer of the remote), or comes from Final, or the call was cancelled. Anything else
// is a failure to get an answer. That includes a driver's own time-out (context.DeadlineExceeded);
// whether the caller's deadline has passed must be read from its context.
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
