package remote_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"ferry/remote"
)

func TestWhatIsAboutTheObject(t *testing.T) {
	wrapped := func(err error) error {
		return fmt.Errorf("%w (after 10 attempts)", &fs.PathError{Op: "put", Path: "f", Err: fmt.Errorf("%w (400)", err)})
	}
	for _, about := range []error{remote.ErrBadName, remote.ErrTooLarge, remote.ErrIsDir, remote.ErrNotDir} {
		if !remote.RefusesObject(wrapped(about)) || !remote.Permanent(wrapped(about)) {
			t.Errorf("%v is not about the object", about)
		}
		passes := wrapped(remote.MayPass(about))
		if remote.RefusesObject(passes) || !errors.Is(passes, about) || passes.Error() != wrapped(about).Error() {
			t.Errorf("%v, which may pass, is %v", about, passes)
		}
	}
	for _, other := range []error{
		remote.ErrNotExist, remote.ErrExist, remote.ErrPermission, remote.ErrInvalid, remote.ErrUnsupported, remote.ErrNotEmpty,
		remote.ErrNoSpace, remote.ErrQuota, remote.ErrChanged, remote.ErrSize, context.Canceled, context.DeadlineExceeded, errors.New("x"),
	} {
		if remote.RefusesObject(wrapped(other)) {
			t.Errorf("%v is about the object", other)
		}
	}
	if remote.RefusesObject(nil) || remote.MayPass(nil) != nil {
		t.Error("nil is an error")
	}
}
