package remote

import (
	"context"
	"iter"
	"time"
)

// Some stores keep a multipart upload until it is completed or aborted, for ever if need be, and
// charge for it. A driver aborts the uploads that it gives up, but those of a killed process stay
// invisibly. So the driver reports each multipart upload to its caller before it sends the first
// part, and again at its end; the caller, or the next process, can abort those that are left.

// Uploads receive reports of the multipart uploads that calls of a remote begin. The methods may be
// called by several goroutines at once. A token contains all that the remote needs to abort the
// upload; it is not a secret, and may be stored.
type Uploads interface {
	// UploadBegun is called before the first part is sent.
	UploadBegun(token string)
	// UploadEnded is called when the upload was completed or aborted, or, with left set, when it
	// could not be aborted.
	UploadEnded(token string, left bool)
}

// uploadsKey is the context key of Uploads.
type uploadsKey struct{}

// WithUploads returns a context under which the multipart uploads of a call are reported to u.
func WithUploads(ctx context.Context, u Uploads) context.Context {
	return context.WithValue(ctx, uploadsKey{}, u)
}

// UploadBegun reports that a multipart upload was begun under ctx. Drivers call it; decorators need
// not know.
func UploadBegun(ctx context.Context, token string) {
	if u, ok := ctx.Value(uploadsKey{}).(Uploads); ok {
		u.UploadBegun(token)
	}
}

// UploadEnded reports the end of an upload that was reported by UploadBegun; left means that it
// could not be aborted.
func UploadEnded(ctx context.Context, token string, left bool) {
	if u, ok := ctx.Value(uploadsKey{}).(Uploads); ok {
		u.UploadEnded(token, left)
	}
}

// WithUploadsOf returns a context for a call of another remote, whose tokens the function token
// translates into tokens of this one.
func WithUploadsOf(ctx context.Context, token func(string) string) context.Context {
	if u, ok := ctx.Value(uploadsKey{}).(Uploads); ok {
		return WithUploads(ctx, translated{u, token})
	}
	return ctx
}

type translated struct {
	Uploads
	token func(string) string
}

// UploadBegun implements Uploads.
func (t translated) UploadBegun(token string) { t.Uploads.UploadBegun(t.token(token)) }

// UploadEnded implements Uploads.
func (t translated) UploadEnded(token string, left bool) { t.Uploads.UploadEnded(t.token(token), left) }

// An UnfinishedUpload was begun, and neither completed nor aborted. It may still be under way.
type UnfinishedUpload struct {
	Name  string // of the file that is uploaded
	Begun time.Time
	Size  int64 // of the parts that the remote has; -1 when unknown
	Token string
}

// An UploadLister can list the unfinished uploads that it keeps.
type UploadLister interface {
	// UnfinishedUploads yields those of files in dir and below. The first error ends it.
	UnfinishedUploads(ctx context.Context, dir string) iter.Seq2[UnfinishedUpload, error]
}

// An UploadAborter can abort uploads that another process began.
type UploadAborter interface {
	// AbortUpload removes the stored parts of an upload. An upload that does not exist any more is
	// no error; a token that this remote never issued is ErrInvalid.
	AbortUpload(ctx context.Context, token string) error
}

// AsUploadLister returns r as an UploadLister, if it is one.
func AsUploadLister(r Remote) (UploadLister, bool) { return ability[UploadLister](r) }

// AbortUpload aborts an upload by its token, or returns ErrUnsupported.
func AbortUpload(ctx context.Context, r Remote, token string) error {
	if a, ok := ability[UploadAborter](r); ok {
		return a.AbortUpload(ctx, token)
	}
	return unsupported("abortupload", ".")
}
