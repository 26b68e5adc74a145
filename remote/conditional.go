package remote

import (
	"context"
	"io"
)

// A ConditionalPutter can store a file on the precondition that nobody has changed what it
// replaces. Of several who store one name at the same time, one succeeds.
//
// If it is a Stager too, it serves StageOptions.New and StageOptions.File with the same means.
type ConditionalPutter interface {
	// PutIf is Put if the file called name still has that version (Entry.Version), or, with "", if
	// there is none. Otherwise nothing is stored, and the error is ErrChanged. If the server checks
	// the precondition, this is atomic; otherwise the version is compared just before.
	//
	// When an answer was lost, and a repetition of the request finds a file of the same content,
	// that is what the first one has stored, and a success. So a content by which several want to
	// tell which of them was first (a lease) has in it who wrote it, and when.
	PutIf(ctx context.Context, name string, body io.Reader, version string, o PutOptions) (Entry, error)
}

// PutIf stores body as name on the precondition that the file has that version, "" being none, or
// is ErrUnsupported: then nothing of body was read.
func PutIf(ctx context.Context, r Remote, name string, body io.Reader, version string, o PutOptions) (Entry, error) {
	if p, ok := ability[ConditionalPutter](r); ok {
		return p.PutIf(ctx, name, body, version, o)
	}
	return Entry{}, unsupported("put", name)
}

// Precondition returns the version that the file of the stage's name must have when it is
// published, "" for none; and the error when it has not. ok is false where anything may be
// replaced.
func (o StageOptions) Precondition() (version string, failed error, ok bool) {
	switch {
	case o.New:
		return "", ErrExist, true
	case o.Base == BaseFile && o.File.Version != "":
		return o.File.Version, ErrChanged, true
	}
	return "", nil, false
}
