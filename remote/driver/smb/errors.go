package smb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	smb2 "github.com/cloudsoda/go-smb2"

	"ferry/remote"
	"ferry/remote/driver/internal/conns"
)

// errInUse is the error of what somebody else has open. It passes by itself, so that the call is
// worth repeating.
var errInUse error = inUse{}

type inUse struct{}

func (inUse) Error() string { return "it is in use by another client of the server" }

// Hint returns the text for an FTP client.
func (inUse) Hint() string { return "The file is in use by another client of the server." }

// fail wraps err as every error of a remote is, unless it is nil.
func fail(op, name string, err error) error {
	return remote.FailOnce(op, name, err, nil)
}

// Codes of NTSTATUS (MS-ERREF section 2.3.1). Package smb2 has its own errors for some others.
const (
	statusNoSuchFile          = 0xC000000F
	statusInvalidParameter    = 0xC000000D
	statusObjectNameInvalid   = 0xC0000033
	statusObjectPathInvalid   = 0xC0000039
	statusObjectPathSyntaxBad = 0xC000003B
	statusSharingViolation    = 0xC0000043
	statusQuotaExceeded       = 0xC0000044
	statusFileLockConflict    = 0xC0000054
	statusDeletePending       = 0xC0000056
	statusPrivilegeNotHeld    = 0xC0000061
	statusNoSuchUser          = 0xC0000064
	statusWrongPassword       = 0xC000006A
	statusLogonFailure        = 0xC000006D
	statusAccountRestriction  = 0xC000006E
	statusPasswordExpired     = 0xC0000071
	statusAccountDisabled     = 0xC0000072
	statusDiskFull            = 0xC000007F
	statusMediaWriteProtected = 0xC00000A2
	statusFileIsADirectory    = 0xC00000BA
	statusNotSupported        = 0xC00000BB
	statusNetworkNameDeleted  = 0xC00000C9
	statusBadNetworkName      = 0xC00000CC
	statusDirectoryNotEmpty   = 0xC0000101
	statusNotADirectory       = 0xC0000103
	statusNameTooLong         = 0xC0000106
	statusFileClosed          = 0xC0000128
	statusLogonTypeNotGranted = 0xC000015B
	statusUserSessionDeleted  = 0xC0000203
	statusAccountLockedOut    = 0xC0000234
	statusSessionExpired      = 0xC000035C
	statusFileTooLarge        = 0xC0000904
	statusNotCapable          = 0xC0000010 // STATUS_INVALID_DEVICE_REQUEST
)

// sentinel returns the error of package remote for an answer of the server, or nil.
func sentinel(code uint32) error {
	switch code {
	case statusNoSuchFile, statusBadNetworkName:
		return remote.ErrNotExist
	case statusObjectNameInvalid, statusObjectPathInvalid, statusObjectPathSyntaxBad, statusNameTooLong:
		return remote.ErrBadName
	case statusSharingViolation, statusFileLockConflict, statusDeletePending:
		return errInUse
	case statusQuotaExceeded:
		return remote.ErrQuota
	case statusDiskFull:
		return remote.ErrNoSpace
	case statusPrivilegeNotHeld, statusMediaWriteProtected, statusLogonFailure, statusNoSuchUser, statusWrongPassword,
		statusAccountRestriction, statusPasswordExpired, statusAccountDisabled, statusLogonTypeNotGranted, statusAccountLockedOut:
		return remote.ErrPermission
	case statusFileIsADirectory:
		return remote.ErrIsDir
	case statusNotADirectory:
		return remote.ErrNotDir
	case statusDirectoryNotEmpty:
		return remote.ErrNotEmpty
	case statusNotSupported, statusNotCapable:
		return remote.ErrUnsupported
	case statusFileTooLarge:
		return remote.ErrTooLarge
	case statusInvalidParameter:
		return remote.ErrInvalid
	}
	return nil
}

// status returns the code of an answer, 0 when err is none.
func status(err error) uint32 {
	var answer *smb2.ResponseError
	if errors.As(err, &answer) {
		return answer.Code
	}
	return 0
}

// understood turns what a call of package smb2 returned into an error that can be classified. The
// only context that the package knows is that of the connection.
func understood(err error) error {
	var pe *fs.PathError
	var le *os.LinkError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &pe):
		err = pe.Err // its path is not that of the remote
	case errors.As(err, &le):
		err = le.Err
	}
	var broken *smb2.TransportError
	if errors.Is(err, context.Canceled) || errors.As(err, &broken) {
		return conns.ErrLost
	}
	if s := sentinel(status(err)); s != nil {
		return fmt.Errorf("%w: %w", s, err)
	}
	return err
}

// sessionLost reports whether err says that the server has forgotten the connection.
func sessionLost(err error) bool {
	return slices.Contains([]uint32{statusUserSessionDeleted, statusNetworkNameDeleted, statusSessionExpired, statusFileClosed}, status(err))
}

// refused reports whether the server may have refused something because a file is open.
func refused(err error) bool {
	return errors.Is(err, errInUse) || errors.Is(err, fs.ErrPermission)
}

// unanswered reports whether err, or one that is joined in it, is not an answer of the server.
func unanswered(err error) bool {
	if err == nil || status(err) != 0 || errors.Is(err, smb2.ErrRequestNotAccepted) {
		return false
	}
	var internal *smb2.InternalError // nothing was sent
	return !errors.As(err, &internal) && !errors.Is(err, errInUse) && !remote.Permanent(err) || errors.Is(err, context.Canceled)
}
