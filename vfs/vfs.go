// Package vfs makes one tree of files out of a remote, as a client that thinks in paths wants to see it.
//
// An FS belongs to the remote and is shared; a View is what one login sees of it. Views differ only in the unfinished
// uploads: those of its own owner a View shows and continues, those of others it does not know.
//
// This is the tree without a cache (--vfs-cache-mode off): everything is streamed, an answer is the remote's answer, and
// no work outlives a call but the uploads that are under way.
//
// Errors are *fs.PathError or satisfy errors.Is with the sentinels of package remote. Those that the user can do
// something about have a method Hint() string with a line that says what.
package vfs

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"time"

	"ferry/remote"
)

// Options are what an FS may be told. The zero value serves everything, writable, with permission bits of 0.
type Options struct {
	ReadOnly  bool // refuse every change
	NoModTime bool // neither show nor set modification times
	NoSeek    bool // refuse to read from anywhere but the beginning

	Modes    Modes
	UID, GID uint32 // shown as owner and group of everything

	// PartMaxAge is how long an unfinished upload can be continued after its last byte; 0 = for ever.
	PartMaxAge time.Duration
}

// Modes are the permission bits that are shown. A remote that keeps permission bits shows its own, except where the
// value is marked as given; any other remote shows File and Dir without the bits of Umask.
type Modes struct {
	File, Dir, Umask                fs.FileMode
	FileGiven, DirGiven, UmaskGiven bool
}

// An FS is the tree. Its methods may be called concurrently.
type FS struct {
	remote remote.Remote
	stager remote.Stager // nil where the remote cannot stage
	caps   remote.Caps
	opt    Options
}

// New returns the tree of r, which stays the caller's to close.
func New(r remote.Remote, o Options) *FS {
	f := &FS{remote: r, caps: r.Info().Caps, opt: o}
	if s, ok := remote.AsStager(r); ok {
		f.stager = s
	}
	return f
}

// View returns the tree as owner sees it. Two views of one owner share that owner's unfinished uploads.
func (f *FS) View(owner string) *View {
	sum := sha256.Sum256([]byte(owner))
	return &View{fs: f, owner: hex.EncodeToString(sum[:ownerBytes])}
}

// ownerBytes of the hash of an owner's name make the tag that the remote knows the owner by: too many for a clash, few
// enough for a file name.
const ownerBytes = 8

// readOnly reports whether nothing in the tree can be changed.
func (f *FS) readOnly() bool { return f.opt.ReadOnly || f.caps.ReadOnly }
