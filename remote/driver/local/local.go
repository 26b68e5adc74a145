// Package local is a remote that keeps its files in a directory of this machine.
//
// Nothing outside that directory can be reached: paths are resolved by the kernel beneath it
// (openat2 on Linux) or by os.Root. Symbolic links are not followed and do not exist for clients;
// with Options.CopyLinks they are followed as long as they stay inside, and then a file stored
// under the name of a link replaces the link. Fifos, sockets and devices are never listed and never
// opened: they are ErrPermission, and a link that may not be followed is too where something would
// be stored in its place.
//
// An upload is written to a hidden file beside its target and renamed over it, so that a reader
// sees the old file or the new one. Data is handed to the operating system and, without
// Options.Sync, not synced to the disk. The permission bits of a file that is replaced are kept;
// its hard links are not.
//
// Package partname names the hidden files, and package staging tells what becomes of them. A client
// can neither list nor name them. Parts with a HASH are found by Part but not listed. Two processes
// may serve the same directory, except that the same owner must not upload the same name through
// both at the same time.
package local

import (
	"cmp"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/staging"
	"ferry/remote/partname"
)

// Options say how a directory is served. The zero value is fine.
type Options struct {
	// CopyLinks follows symbolic links that stay inside the root. Otherwise links are as good as
	// not there.
	CopyLinks bool
	// PartMaxAge is how long after its last byte an unfinished upload can be continued; 0 = for
	// ever. Older ones are deleted when List, Stage or SweepParts come across them.
	PartMaxAge time.Duration
	// Sync has every change, but for modification times and permissions, on the disk before a call
	// returns: it survives a loss of power.
	Sync bool
	// DirPerm and FilePerm are for what is created, before the umask of the process; 0 = 0777 and
	// 0666.
	DirPerm, FilePerm fs.FileMode
	// MinFree is how many bytes an upload leaves free on the file system, about: one that would
	// leave less is ErrNoSpace. 0 = none.
	MinFree int64
	// RequireMount serves the directory only while a file system is mounted there or above: at the
	// mount point that /etc/fstab names, else at any but the root of the system. Until then every
	// call fails, as one fails where a file system was mounted and is no more.
	RequireMount bool
	// MountRecords is a directory, made when there is none, for what the next process has to know
	// of this one: on which mount point the directory was. When nothing is mounted there, that one
	// fails every call until something is. "" = a process knows only what it has seen itself.
	MountRecords string
}

// maxName is the longest name element that file systems commonly hold, in bytes.
const maxName = partname.MaxLen

// Remote is a directory of this machine.
type Remote struct {
	// constant
	info remote.Info
	o    Options
	self identity
	dev  uint64 // the device of the root at the start, 0 when it was away

	served   *served
	tree     tree                 // served, or one around it
	syncFile func(*os.File) error // nil = files are not synced
	parts    *staging.Parts

	replacing sync.Mutex // a version is compared and replaced
}

// New serves the directory root. It is an error when there is none, unless a mount is required or
// was there when it was served last: that may come later, as it may go and come again. What cannot
// be reached is an error that no Permanent one is.
func New(root string, o Options) (*Remote, error) {
	return newRemote(root, o, openTree)
}

func newRemote(root string, o Options, open openFunc) (*Remote, error) {
	path, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	if o.DirPerm == 0 {
		o.DirPerm = 0o777
	}
	if o.FilePerm == 0 {
		o.FilePerm = 0o666
	}
	if fi, err := os.Stat(path); err == nil && !fi.IsDir() {
		return nil, fail("open", path, remote.ErrNotDir)
	}
	s := &served{path: path, access: &access{links: o.CopyLinks}, open: open, mountOf: mountOf}
	if o.RequireMount {
		s.needed = cmp.Or(plannedMount(path, fstab), anyMount)
	}
	s.recall(o.MountRecords)
	at, err := s.begin()
	if err != nil {
		return nil, fail("open", path, err)
	}
	r := &Remote{
		info: remote.Info{Name: "local:" + path, Caps: remote.Caps{
			CaseInsensitive: caseInsensitive,
			Modes:           keepsModes,
			MoveDir:         true,
			CheapStat:       true,
			ModTime:         timePrecision,
			MaxName:         maxName,
		}},
		o:      o,
		self:   whoAmI(),
		dev:    at.dev,
		served: s,
		tree:   s,
	}
	r.parts = staging.New(staging.Options{MaxAge: o.PartMaxAge, Fail: fail, In: r.in})
	if o.Sync {
		r.tree, r.syncFile = syncedTree{s}, (*os.File).Sync
	}
	return r, nil
}

// Info implements remote.Remote.
func (r *Remote) Info() remote.Info { return r.info }

// Close implements remote.Remote. What is open stays open.
func (r *Remote) Close() error { return r.tree.close() }

// MissingMount returns the mount point that /etc/fstab names for the directory when nothing is
// mounted there and the directory is empty; else "".
func (r *Remote) MissingMount(ctx context.Context) string { return r.missingMount(ctx, fstab) }

func (r *Remote) missingMount(ctx context.Context, list string) string {
	point := plannedMount(r.served.path, list)
	if point == "" || r.served.needed != "" || onMount(r.served.mountOf(r.served.path), point) {
		return ""
	}
	for range r.List(ctx, ".") {
		return ""
	}
	return point
}
