package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"ferry/remote"
)

// fail wraps err as every error of a remote is, unless it is nil.
func fail(op, name string, err error) error {
	return remote.Fail(op, name, translate(err))
}

// translate strips what the os package put around an error of the system, and makes those that
// package remote has another word for satisfy errors.Is with it.
func translate(err error) error {
	switch e := err.(type) {
	case *fs.PathError:
		err = e.Err
	case *os.LinkError:
		err = e.Err
	case *os.SyscallError:
		err = e.Err
	}
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return err
	}
	if sentinel := sentinelOf(errno); sentinel != nil {
		return fmt.Errorf("%w: %w", sentinel, err)
	}
	return err
}

// sentinelOf returns the error of package remote that errno means but does not satisfy, or nil.
func sentinelOf(errno syscall.Errno) error {
	switch errno {
	case syscall.ENAMETOOLONG:
		return remote.ErrBadName
	case syscall.EROFS:
		return remote.ErrPermission
	case syscall.EXDEV: // a link that leads out of the root
		return errOutside
	case syscall.ELOOP: // a link where none is followed, or one that leads nowhere
		return remote.ErrNotExist
	}
	return systemSentinel(errno)
}

// errOutside is a link that leads out of the root. It is an ErrPermission, and its text is for the
// client as well.
var errOutside error = outsideError{}

type outsideError struct{}

func (outsideError) Error() string { return "the link leads out of the served directory" }

// Hint is what an FTP client is told.
func (outsideError) Hint() string { return "The link leads out of the served directory." }

func (outsideError) Unwrap() error { return remote.ErrPermission }

// deadMount reports whether err is that of a mount point whose file system has gone. It must not
// end the listing of the directory that it is in.
func deadMount(err error) bool {
	return errors.Is(err, syscall.ENOTCONN) || errors.Is(err, syscall.ESTALE)
}
