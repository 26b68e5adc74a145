// Package staging keeps uploads in hidden files beside their targets, for drivers whose remotes are
// file systems. Package partname names those files. Each of them is in a slot or kept:
//
//	in a slot    a Stage writes to it: Commit renames it over the target, Keep makes it the kept
//	             one, Abort removes it
//	kept         the part that an owner left of a name; a Stage on it moves it into a slot
//
// What a process that was killed left in the first slot of an owner and name counts as kept. A
// hidden file that is older than Options.MaxAge counts as missing, and is removed when Listed or a
// Stage comes across it.
//
// Start at stage.go: an upload from its begin to its end. part.go has what is kept, slot.go which
// files are being written.
//
// Lock order: Stage.mu, Parts.kept, Parts.mu.
package staging

import (
	"context"
	"sync"
	"time"

	"ferry/remote"
)

// A Dir is a directory of the remote, as a driver reaches it for one call or one Stage. Names are
// elements of paths, as they are on the disk.
type Dir interface {
	// Path is where the directory was in the remote when it was opened.
	Path() string
	// Lstat describes base without following a link.
	Lstat(ctx context.Context, base string) (Info, error)
	// Rename replaces a file to in one step. Unless replace, that is ErrExist.
	Rename(ctx context.Context, from, to string, replace bool) error
	// Remove removes a file.
	Remove(ctx context.Context, base string) error
	// List calls yield for what the directory holds until yield returns false.
	List(ctx context.Context, yield func(Info) bool) error
	// Close ends the use of the directory, not of one that a Stage holds open.
	Close()
}

// Info describes what a directory holds. Its Name is that on the disk.
type Info struct {
	remote.Entry
	Regular bool // it is a file that has content
	Linked  bool // a file that has other names too
}

// A File is the hidden file of one Stage, which a driver writes to. Create, Reopen and CopyHead
// open it. They and Finish are called one at a time; End, Stop and Discard may come while it is
// written.
type File interface {
	// Create makes the file, or returns ErrExist.
	Create(ctx context.Context, part string) error
	// Reopen opens the existing file, cut off at off.
	Reopen(ctx context.Context, part string, off int64) error
	// CopyHead fills the created file with the first off bytes of another one in its directory;
	// AtEnd = all of them. More than there are is ErrInvalid.
	CopyHead(ctx context.Context, from string, off int64) error
	// Finish completes the file, with its modification time unless that is zero, and closes it. It
	// returns the directory to rename it in. It may be called again after an error of its own or of
	// the rename.
	Finish(ctx context.Context, modTime time.Time) (Dir, remote.Entry, error)
	// End makes writes fail. It waits for nothing, and may come again.
	End()
	// Stop ends writing, closes the file, and returns how many bytes it holds.
	Stop() (Dir, int64, error)
	// Discard closes the file, which is removed next.
	Discard(ctx context.Context) (Dir, error)
	// Release gives back what the driver holds for the Stage.
	Release()
}

// Options are what differs between drivers. Fail and In are needed.
type Options struct {
	// MaxAge is how long after its last byte a kept file can be continued; 0 = for ever.
	MaxAge time.Duration
	// Patience bounds the operations that no caller's context bounds; 0 = nothing does.
	Patience time.Duration
	// Fail makes err the error that the driver returns. nil stays nil.
	Fail func(op, name string, err error) error
	// In calls use with the directory that holds name and the last element of that, as on the disk.
	// It returns the error of use as the driver returns it, as one of op.
	In func(ctx context.Context, op, name string, use func(d Dir, base string) error) error
	// Names is how names are written on the disk; nil = as they are.
	Names remote.Spelling
}

// Parts are the hidden files of one remote.
type Parts struct {
	o Options // constant
	// Ages tells which files are too old.
	Ages remote.Ages

	kept sync.Mutex // held while kept files are renamed or removed

	mu   sync.Mutex
	busy map[string]*Stage // guarded by mu; INVARIANT: for each k/v, v.in joined with v.Part == k
}

// New returns the hidden files of a remote. Nothing is too old until it has run for a while, as
// remote.Ages says.
func New(o Options) *Parts {
	p := &Parts{o: o, busy: map[string]*Stage{}}
	p.Ages.Began(time.Now())
	return p
}

// Offset resolves AtEnd as the offset in what has size, and refuses what is beyond that.
func Offset(off, size int64) (int64, error) {
	switch {
	case off == remote.AtEnd:
		return size, nil
	case off > size:
		return 0, remote.ErrInvalid
	}
	return off, nil
}
