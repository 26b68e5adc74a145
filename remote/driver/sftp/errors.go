package sftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/pkg/sftp"

	"ferry/remote"
	"ferry/remote/driver/internal/conns"
)

// fail wraps err as every error of a remote is, unless it is nil.
func fail(op, name string, err error) error {
	return remote.FailOnce(op, name, err, func(err error) error {
		err = translate(err)
		if errors.Is(err, remote.ErrInvalid) && remote.AnyElem(name, isLong) { // not every server says which of the two it means
			err = fmt.Errorf("%w: %w", remote.ErrBadName, err)
		}
		return err
	})
}

// isLong reports whether an element of a name is longer than file systems take.
func isLong(elem string) bool { return len(elem) > 255 }

// translate turns a status of the protocol (draft-ietf-secsh-filexfer-02 section 7) into a sentinel
// of package remote. Package sftp has done so already with the two that it knows. SSH_FX_FAILURE
// says nothing: whoever knows what was tried looks for the cause.
func translate(err error) error {
	switch {
	case errors.Is(err, sftp.ErrSSHFxConnectionLost), errors.Is(err, sftp.ErrSSHFxNoConnection), errors.Is(err, io.EOF):
		return conns.ErrLost
	}
	var status *sftp.StatusError
	if !errors.As(err, &status) {
		return err
	}
	switch status.FxCode() {
	case sftp.ErrSSHFxOpUnsupported:
		return fmt.Errorf("%w: %w", remote.ErrUnsupported, err)
	case sftp.ErrSSHFxBadMessage: // OpenSSH: EINVAL and ENAMETOOLONG
		return fmt.Errorf("%w: %w", remote.ErrInvalid, err)
	}
	return err
}

// unexplained reports whether the server has refused something without a reason.
func unexplained(err error) bool {
	var status *sftp.StatusError
	return errors.As(err, &status) && status.FxCode() == sftp.ErrSSHFxFailure
}

// unanswered reports whether err, or one that is joined in it, is not an answer of the server.
func unanswered(err error) bool {
	if err == nil {
		return false
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		return slices.ContainsFunc(many.Unwrap(), unanswered)
	}
	var status *sftp.StatusError
	return !errors.As(err, &status) && !remote.Permanent(translate(err)) || errors.Is(err, context.Canceled)
}
