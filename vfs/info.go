package vfs

import (
	"cmp"
	"context"
	"io/fs"
	"time"

	"ferry/remote"
)

// An Info describes a file, a directory or an own unfinished upload. Besides fs.FileInfo it tells
// the owner and the identity of the file.
type Info struct {
	fs       *FS
	name     string
	modTime  time.Time
	listTime *time.Time // what LIST shows of a directory whose modTime is not known; nil = modTime
	size     int64
	id       uint64
	mode     fs.FileMode
	readOnly bool
	part     bool
}

// info returns what is shown of e, which is in dir.
func (f *FS) info(dir string, e remote.Entry) *Info {
	i := &Info{
		fs: f, name: e.Name, size: e.Size, id: e.ID,
		mode: f.mode(e), readOnly: e.ReadOnly, part: e.Part != "",
	}
	if f.opt.NoModTime {
		return i
	}
	i.modTime = e.ModTime
	if e.Dir && e.ModTime.IsZero() {
		i.listTime = new(cmp.Or(f.names.NewestBelow(remote.Join(dir, e.Name)), f.began))
	}
	return i
}

// mode returns the type and permission bits that are shown for e.
func (f *FS) mode(e remote.Entry) fs.FileMode {
	m := &f.opt.Modes
	perm, kind, given := m.File, fs.FileMode(0), m.FileGiven
	if e.Dir {
		perm, kind, given = m.Dir, fs.ModeDir, m.DirGiven
	}
	if f.caps.Modes && !given {
		perm = e.Mode
		if !m.UmaskGiven {
			return kind | perm.Perm()
		}
	}
	return kind | perm.Perm()&^m.Umask
}

// Name returns the last element of the path, "." for the root.
func (i *Info) Name() string { return i.name }

// Size returns the number of bytes of a file, below 0 when the remote does not know.
func (i *Info) Size() int64 { return i.size }

// Mode returns the permission bits, and fs.ModeDir for a directory.
func (i *Info) Mode() fs.FileMode { return i.mode }

// ModTime returns when the content last changed, the zero time when that is unknown.
func (i *Info) ModTime() time.Time { return i.modTime }

// ListTime is what LIST shows, which has no word for a time that is not known: of a directory
// without one the newest time known of what is below it, else when ferry began to serve it.
func (i *Info) ListTime() time.Time {
	if i.listTime != nil {
		return *i.listTime
	}
	return i.modTime
}

// IsDir reports whether this is a directory.
func (i *Info) IsDir() bool { return i.mode.IsDir() }

// Sys returns nil.
func (i *Info) Sys() any { return nil }

// Owner returns the user and group that are shown.
func (i *Info) Owner() (uid, gid uint32) { return i.fs.opt.UID, i.fs.opt.GID }

// ID returns a number that stays with the file when it is renamed, 0 when the remote knows none.
func (i *Info) ID() uint64 { return i.id }

// KnownSize returns the size of the file called name, as far as it is known without asking a remote
// that is far; below 0 it is not.
func (f *FS) KnownSize(ctx context.Context, name string) int64 {
	e, known := f.names.Known(name)
	if f.caps.Live {
		asked, err := f.top.Stat(ctx, name)
		e, known = asked, err == nil
	}
	if !known || e.Dir {
		return -1
	}
	return e.Size
}
