package objects

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
)

// partsDir holds all that is kept of unfinished uploads, at the top of a tree, or in each bucket of
// one of buckets.
const partsDir = ".ferry-parts"

// Ours reports whether path, of a key below the root of a tree, belongs to what this package keeps
// for itself.
func Ours(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return first == partsDir
}

// A Keeper is a Store whose drafts can be continued by another process. All its drafts are
// KeptDrafts.
type Keeper interface {
	// PutPlain stores content as k, for nobody but this package to read. It replaces the object of
	// that version, and with "" none; else the error is remote.ErrChanged. Where the service takes
	// no such precondition, what is there is compared just before.
	PutPlain(ctx context.Context, k Key, content []byte, version string) (made string, err error)

	// Continue is Create of a draft that begins with what was sent of another one, which is not
	// nothing. Of the options only Only counts.
	Continue(ctx context.Context, k Key, sent Sent, o CreateOptions) (Draft, error)

	// Holds returns remote.ErrNotExist if what was sent is not there any more.
	Holds(ctx context.Context, k Key, sent Sent) error

	// Forget drops what was sent. That there is nothing any more is no error.
	Forget(ctx context.Context, k Key, sent Sent) error

	// Cut returns what was sent up to off, which is less than all of it, if a draft can go on from
	// there.
	Cut(sent Sent, off int64) (Sent, bool)
}

// Sent is what the service has of a draft that was not published. The zero value is nothing.
type Sent struct {
	Size  int64           `json:"size"`            // the first bytes of the content
	State json.RawMessage `json:"state,omitempty"` // what the Store finds them by
	// Doubtful says that the process which sent it may be sending still. It is not written down.
	Doubtful bool `json:"-"`
}

// A KeptDraft is a Draft that can be left for another process. Its further methods may be called
// at any time, except that Keep waits for Write.
type KeptDraft interface {
	Draft

	// Halt ends what Write takes, also one that waits, with cause. What is on its way goes on.
	Halt(cause error)

	// Sent returns what the service has confirmed up to now.
	Sent() Sent

	// Noted says that what was sent is written down for other processes: from then on it is not for
	// the caller of Create to know of it.
	Noted()

	// Keep ends the draft, and leaves what the service has. It waits for what is on its way, until
	// ctx ends. rest is what follows that and was not sent; it is valid until Release. Without
	// anything sent the caller calls Abort after it.
	Keep(ctx context.Context) (sent Sent, rest []byte)

	// Release frees what the draft holds here, and leaves what the service has.
	Release()
}

// ErrCut is why a draft that is kept takes nothing more.
var ErrCut = errors.New("the upload has ended")
