package remote

import (
	"context"
	"io"
	"time"
)

// A Stager takes an upload in pieces, keeps it apart from the published files, and publishes it in
// one step. It is what makes APPE, REST+STOR and the resumption of a cut upload work without a
// cache.
//
// A staged upload belongs to an owner: a tag of 1 to 32 characters out of [a-z0-9] that the caller
// derives from the user. It outlives the process: what Keep kept is found again by Part, under the
// same owner, until it is continued, dropped or older than the driver's age limit. List yields it
// as an Entry with Part = owner.
//
// Where Caps.NoParts, a staged upload ends with its stage: Keep is Abort, there never is a Part,
// and a stage on BasePart is ErrNotExist.
type Stager interface {
	// Stage begins an upload of name. Nothing of it is visible to anybody until Commit. Two
	// uploads of one name never disturb each other, whoever owns them; the last one published wins,
	// and the last one kept is kept. A missing parent directory is ErrNotExist, a directory called
	// name ErrIsDir, a file that may not be changed ErrPermission, a name that the remote cannot
	// hold ErrBadName: all before a byte is taken. (Where Caps.ImplicitDirs, there are no missing
	// parents, and a directory is refused as by Put.) ctx governs the upload until Commit: when it
	// ends, what waits for the far side fails.
	Stage(ctx context.Context, name string, o StageOptions) (Stage, error)

	// Part describes the unfinished upload of name that owner left, or ErrNotExist.
	Part(ctx context.Context, name, owner string) (Entry, error)

	// DropPart forgets the unfinished upload of name that owner left, or ErrNotExist.
	DropPart(ctx context.Context, name, owner string) error
}

// StageOptions say how a staged upload begins.
type StageOptions struct {
	Owner string
	Base  Base
	// From is whose part BasePart takes over, where that is not the owner's: it becomes the
	// owner's. Off must then be where the part ends, else it is ErrInvalid and the part stays as it
	// is. "" = the owner's.
	From string
	// Off is how many bytes of the base are kept in front of what is written; AtEnd keeps all of
	// it. More than the base has is ErrInvalid.
	Off int64
	// File is the file that BaseFile continues, as the caller has seen it. Where it is given, a
	// layer that keeps changes apart (package writeback) answers Commit with ErrChanged when the
	// file is another one by then. A driver does not look at it.
	File Entry
}

// Valid reports whether the owner is a tag as Stager describes and the offset fits the base. A
// driver answers ErrInvalid to options that are not valid.
func (o StageOptions) Valid() bool {
	return ValidOwner(o.Owner) && o.Base <= BasePart && o.Off >= AtEnd && (o.Base != BaseEmpty || o.Off == 0) &&
		(o.From == "" || ValidOwner(o.From) && o.Base == BasePart && o.Off > 0)
}

// PartOwner is whose part BasePart takes.
func (o StageOptions) PartOwner() string {
	if o.From != "" {
		return o.From
	}
	return o.Owner
}

// PartOffset returns how many bytes are kept of a part that has size, or ErrInvalid.
func (o StageOptions) PartOffset(size int64) (int64, error) {
	switch {
	case o.Off == AtEnd:
		return size, nil
	case o.Off > size, o.From != "" && o.Off != size:
		return 0, ErrInvalid
	}
	return o.Off, nil
}

// ValidOwner reports whether owner is 1 to 32 characters out of [a-z0-9].
func ValidOwner(owner string) bool {
	if len(owner) < 1 || len(owner) > 32 {
		return false
	}
	for _, c := range []byte(owner) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// AtEnd as an offset means: behind the last byte.
const AtEnd = -1

// A Base is what a staged upload begins with.
type Base uint8

const (
	BaseEmpty Base = iota // nothing; Off must be 0
	BaseFile              // the published file; it is left as it is
	BasePart              // the unfinished upload that the owner left, or From; it becomes this stage
)

// A Stage is an upload under way. It is used by one goroutine, except that Keep and Abort may be
// called at any time. Exactly one of Commit, Keep and Abort ends it; later calls do nothing and
// return nil. A Commit that fails leaves the stage open for Keep or Abort. It may also be an
// io.ReaderFrom, for zero-copy receiving.
type Stage interface {
	io.Writer

	// Commit makes the content visible under the stage's name, replacing an old file atomically,
	// and forgets what the owner had left of that name: it must not come back when the file is
	// renamed. modTime zero = now.
	Commit(ctx context.Context, modTime time.Time) (Entry, error)

	// Keep ends the upload and keeps what was written as the owner's Part. An empty one is
	// discarded, and where Caps.NoParts every one.
	Keep() error

	// Abort ends the upload and forgets what was written.
	Abort() error
}
