package vfs

import (
	"cmp"
	"context"
	"io/fs"
	"time"

	"ferry/remote"
)

// An Info describes a file, a directory or an unfinished upload of the view's owner. Besides
// fs.FileInfo it has the owner and the identity of the file.
type Info struct {
	fs       *FS
	name     string
	modTime  time.Time
	listTime *time.Time // for LIST, of a directory with unknown modTime; nil = modTime
	size     int64
	id       uint64
	mode     fs.FileMode
	readOnly bool
	part     bool
	node     string // where it waits, if it was asked for by its name; "" = here, or it is on the remote
}

// info returns the Info of e, an entry of dir.
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

// mode returns the type and permission bits shown for e.
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

// Size returns the length of a file in bytes, below 0 if unknown.
func (i *Info) Size() int64 { return i.size }

// Mode returns the permission bits, and fs.ModeDir for a directory.
func (i *Info) Mode() fs.FileMode { return i.mode }

// ModTime returns when the content last changed, or the zero time if unknown.
func (i *Info) ModTime() time.Time { return i.modTime }

// ListTime returns the time for LIST, whose format has no unknown time: for a directory without a
// time, the newest time known below it, else the start of the process.
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

// ID returns a number that stays with the file when it is renamed, 0 if the remote has none.
func (i *Info) ID() uint64 { return i.id }

// Unfinished reports whether this is an unfinished upload.
func (i *Info) Unfinished() bool { return i.part }

// WaitsAt returns the node where the file waits to be sent to the remote, if Stat has described it;
// "" if that is this one, or the remote has the file.
func (i *Info) WaitsAt() string { return i.node }

// KnownSize returns the size of the file called name if it is known without a request over the
// network, and otherwise a number below 0.
func (f *FS) KnownSize(ctx context.Context, name string) int64 {
	e, known := f.names.Known(name)
	if f.caps.CheapStat {
		asked, err := f.top.Stat(ctx, name)
		e, known = asked, err == nil
	}
	if !known || e.Dir {
		return -1
	}
	return e.Size
}
