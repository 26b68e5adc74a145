package remote

import (
	"context"
	"io"
	"time"
)

// A Stager receives an upload in pieces, keeps it apart from the published files, and publishes it
// in one step. This makes APPE, REST+STOR and resuming an interrupted upload work without a cache.
//
// A staged upload belongs to an owner: a tag of 1 to 32 characters out of [a-z0-9] that the caller
// derives from the user. It outlives the process: after Keep, Part finds it under the same owner
// until it is continued, dropped or older than the driver's age limit. List yields it as an Entry
// with Part = owner; one that another process has kept in a store that both use, soon.
//
// Object stores keep what an upload has for any process that uses the store. There Part also finds
// what another process has sent of an upload under way; to continue that is ErrChanged until a
// while after it is known to live. What the store cannot cut is ErrInvalid, at an offset within.
//
// Where Caps.NoParts, a staged upload ends with its stage: Keep is Abort, there never is a Part,
// and a stage on BasePart is ErrNotExist.
type Stager interface {
	// Stage begins an upload of name. Nothing of it is visible until Commit. Two uploads of one
	// name never disturb each other, whoever owns them; the last one published wins, and the last
	// one kept is kept. A missing parent directory is ErrNotExist, a directory called name
	// ErrIsDir, a file that may not be changed ErrPermission, a name that the remote cannot hold
	// ErrBadName: all before a byte is accepted. (Where Caps.ImplicitDirs, there are no missing
	// parents, and a directory is refused as by Put.) ctx governs the upload until Commit: when it
	// ends, calls that wait for the server fail.
	Stage(ctx context.Context, name string, o StageOptions) (Stage, error)

	// Part describes the unfinished upload of name that owner left, or returns ErrNotExist. Where
	// the last one that this process has kept was finished by another one, and that is known, the
	// error is ErrFinished.
	Part(ctx context.Context, name, owner string) (Entry, error)

	// DropPart discards the unfinished upload of name that owner left, or returns ErrNotExist.
	DropPart(ctx context.Context, name, owner string) error
}

// A PartReader is a Stager whose unfinished uploads can be read, by a remote that is made of it and
// has to look into them.
type PartReader interface {
	// OpenPart reads the unfinished upload of name that owner left, as Open reads a file, or
	// returns ErrNotExist. The upload stays.
	OpenPart(ctx context.Context, name, owner string, off, n int64) (io.ReadCloser, error)
}

// StageOptions determine how a staged upload begins.
type StageOptions struct {
	Owner string
	Base  Base
	// From is the owner whose part BasePart takes over, if not Owner's; it becomes Owner's. Off
	// must then be the length of the part, else the error is ErrInvalid and the part stays as it
	// is. "" = Owner's part.
	From string
	// Off is the number of bytes of the base that precede the written data; AtEnd keeps all of it.
	// More than the length of the base is ErrInvalid.
	Off int64
	// File is the file that BaseFile continues, as the caller has seen it. If it is set, a layer
	// that keeps pending changes (package writeback) fails Commit with ErrChanged if the file is
	// another one by then. So does a ConditionalPutter, if the version of the file is known; other
	// drivers ignore it.
	File Entry
	// New makes Commit fail with ErrExist if there is a file of that name by then, in a layer that
	// serialises changes (package writeback), and in a ConditionalPutter. Other drivers ignore it.
	New bool
}

// Valid reports whether the owner is a tag as Stager describes and the offset fits the base. A
// driver returns ErrInvalid for options that are not valid.
func (o StageOptions) Valid() bool {
	return ValidOwner(o.Owner) && o.Base <= BasePart && o.Off >= AtEnd && (o.Base != BaseEmpty || o.Off == 0) &&
		(o.From == "" || ValidOwner(o.From) && o.Base == BasePart && o.Off > 0)
}

// PartOwner returns the owner of the part that BasePart continues.
func (o StageOptions) PartOwner() string {
	if o.From != "" {
		return o.From
	}
	return o.Owner
}

// PartOffset returns how many bytes of a part of the given size are kept, or ErrInvalid.
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

// AtEnd as an offset means after the last byte.
const AtEnd = -1

// A Base is the initial content of a staged upload.
type Base uint8

const (
	BaseEmpty Base = iota // nothing; Off must be 0
	BaseFile              // the published file, which stays as it is
	BasePart              // the unfinished upload that the owner left, or From; it becomes this stage
)

// A Stage is an upload under way. It is used by one goroutine, except that Keep and Abort may be
// called at any time. Exactly one of Commit, Keep and Abort ends it; later calls do nothing and
// return nil. A Commit that fails leaves the stage open for Keep or Abort. It may also be an
// io.ReaderFrom, for zero-copy receiving.
type Stage interface {
	io.Writer

	// Commit makes the content visible under the stage's name, replacing an old file atomically,
	// and discards the owner's Part of that name: it must not reappear when the file is renamed.
	// modTime zero = now.
	Commit(ctx context.Context, modTime time.Time) (Entry, error)

	// Keep ends the upload and keeps the written data as the owner's Part. An empty upload is
	// discarded, and where Caps.NoParts every one.
	Keep() error

	// Abort ends the upload and discards the written data.
	Abort() error
}

// A Replacing stage says at less cost than Stat what its Commit would replace.
type Replacing interface {
	// Replaces describes the file of the stage's name as Stat does, or is ErrNotExist.
	Replaces(ctx context.Context) (Entry, error)
}

// A WrappedStage is around another one, whose file has the same name and Version.
type WrappedStage interface{ UnwrapStage() Stage }

// Replaces describes what a Commit of s would replace, if s is Replacing or around one that is;
// else ok is false.
func Replaces(ctx context.Context, s Stage) (e Entry, ok bool, err error) {
	for {
		switch is := s.(type) {
		case Replacing:
			e, err = is.Replaces(ctx)
			return e, true, err
		case WrappedStage:
			s = is.UnwrapStage()
		default:
			return e, false, nil
		}
	}
}
