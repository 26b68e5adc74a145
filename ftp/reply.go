package ftp

import (
	"context"
	"errors"
	"io/fs"
	"strconv"
	"syscall"
)

// A reply ends a command: three digits and a text (RFC 959, section 4.2). The zero reply means that
// the handler has written the reply itself.
type reply struct {
	code int
	text string
}

func ok(text string) reply        { return reply{200, text} }
func badSequence(t string) reply  { return reply{503, t} }
func badArgument(t string) reply  { return reply{501, t} }
func notSupported(t string) reply { return reply{504, t} }
func refused(text string) reply   { return reply{550, text} }
func (r reply) isZero() bool      { return r.code == 0 }
func (r reply) append(b []byte) []byte {
	b = strconv.AppendInt(b, int64(r.code), 10)
	b = append(b, ' ')
	b = append(b, r.text...)
	return append(b, '\r', '\n')
}

// The causes of contexts of transfers and sessions that are ended from outside.
var (
	errAborted     = errors.New("aborted by ABOR")
	errControlLost = errors.New("control connection lost")
	errShutdown    = errors.New("server is shutting down")
	errDraining    = errors.New("server is out of service")
	errKicked      = errors.New("session ended by the administrator")
	errDismissed   = errors.New("what the user may do has changed")
	errNotAdmitted = errors.New("the address is not admitted any more")
)

// errUseMLST refuses to list a file by MLSD (RFC 3659, section 7.2.1).
var errUseMLST = errors.New("MLSD of what is not a directory")

// drainingText is what clients read of a server that takes no sessions for a while: another one may
// answer to the same name.
const drainingText = "The server takes no sessions at the moment; connect again."

// notAdmitted is the text for a client whom the Guard does not admit: nothing about why.
const notAdmitted = "No service for your address."

// errorReplies is the only table that maps errors of an FS to replies. The first matching row is
// used, so the more specific ones come first: ENOTEMPTY, for example, is also fs.ErrExist.
var errorReplies = []struct {
	err   error
	reply reply
}{
	{ErrNoSpace, reply{452, "No space left."}},
	{ErrQuota, reply{552, "Quota exceeded."}},
	{syscall.EFBIG, reply{552, "The file is too large for the storage."}},
	{ErrBadName, reply{553, "The storage cannot hold a file of that name."}},
	{ErrNameTooLong, reply{553, "The name is too long for the storage."}},
	{errPatternTooLong, reply{501, "The pattern is too long."}},
	{errBadPath, reply{553, "A name must not contain CR, LF or NUL."}},
	{errUseMLST, reply{501, "Not a directory; use MLST."}},
	{ErrIsDir, reply{550, "Is a directory."}},
	{ErrNotDir, reply{550, "Not a directory."}},
	{ErrNotEmpty, reply{550, "Directory not empty."}},
	{fs.ErrNotExist, reply{550, "No such file or directory."}},
	{syscall.ESTALE, reply{450, "The file was changed meanwhile."}},
	{fs.ErrExist, reply{550, "File exists."}},
	{syscall.EROFS, reply{550, "The storage is read-only."}},
	{syscall.EXDEV, reply{550, "Cannot rename across file systems."}},
	{fs.ErrPermission, reply{550, "Permission denied."}},
	{errors.ErrUnsupported, reply{550, "Not supported by this storage."}},
	{fs.ErrInvalid, reply{550, "Not possible for this file."}},
	{errAborted, reply{426, "Transfer aborted."}},
	{errShutdown, reply{421, "The server is shutting down."}},
	{errDraining, reply{421, drainingText}},
	{errKicked, reply{421, "Session ended by the administrator."}},
	{errNotAdmitted, reply{421, notAdmitted}},
	{errDismissed, reply{421, "What you may do has changed; log in again."}},
	{context.DeadlineExceeded, reply{451, "The storage did not answer in time."}},
}

// errorReply returns the reply for an error of an FS, and whether it is in the table: others are
// logged, because the reply does not contain the error.
func errorReply(err error) (r reply, known bool) {
	r = reply{451, "Local error in processing; the server's log says more."}
	if why := shortage(err); why != "" {
		return reply{451, why}, false
	}
	for i := range errorReplies {
		if errors.Is(err, errorReplies[i].err) {
			r, known = errorReplies[i].reply, true
			break
		}
	}
	r.text = hintOr(err, r.text)
	return r, known
}

// hintOr returns the hint of err, or text if it has none.
func hintOr(err error, text string) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) && h.Hint() != "" {
		return h.Hint()
	}
	return text
}
