package access

import (
	"context"
	"io"
	"io/fs"
	"iter"
	"time"

	"ferry/ftp"
)

// way describes a directory on the way to a mount, and a mount in a listing: nobody is asked for
// it, so that one that does not answer delays no listing.
type way struct {
	name  string
	began time.Time
}

// Name implements fs.FileInfo.
func (w way) Name() string { return w.name }

// Size implements fs.FileInfo.
func (way) Size() int64 { return -1 }

// Mode implements fs.FileInfo.
func (way) Mode() fs.FileMode { return fs.ModeDir | 0o755 }

// ModTime implements fs.FileInfo.
func (way) ModTime() time.Time { return time.Time{} }

// ListTime implements ftp.Dated.
func (w way) ListTime() time.Time { return w.began }

// IsDir implements fs.FileInfo.
func (way) IsDir() bool { return true }

// Sys implements fs.FileInfo.
func (way) Sys() any { return nil }

// withName returns info under the name of the mount that it describes the root of.
func withName(info fs.FileInfo, name string) fs.FileInfo {
	n := named{info, name}
	if o, owned := info.(ftp.Owned); owned {
		return ownedNamed{n, o}
	}
	return n
}

type named struct {
	fs.FileInfo
	name string
}

type ownedNamed struct {
	named
	ftp.Owned
}

// Name implements fs.FileInfo.
func (n named) Name() string { return n.name }

// ListTime implements ftp.Dated.
func (n named) ListTime() time.Time {
	if d, dated := n.FileInfo.(ftp.Dated); dated {
		return d.ListTime()
	}
	return n.ModTime()
}

// ID implements ftp.Identified.
func (n named) ID() uint64 {
	if i, identified := n.FileInfo.(ftp.Identified); identified {
		return i.ID()
	}
	return 0
}

// nowhere is a tree with nothing in it.
type nowhere struct{}

// Stat implements ftp.FS.
func (nowhere) Stat(_ context.Context, name string) (fs.FileInfo, error) {
	if name == root {
		return way{name: root, began: time.Unix(0, 0)}, nil
	}
	return nil, notThere("stat", name)
}

// List implements ftp.FS.
func (nowhere) List(_ context.Context, dir string) iter.Seq2[fs.FileInfo, error] {
	return func(yield func(fs.FileInfo, error) bool) {
		if dir != root {
			yield(nil, notThere("list", dir))
		}
	}
}

// Open implements ftp.FS.
func (nowhere) Open(_ context.Context, name string, _ int64) (io.ReadCloser, error) {
	return nil, notThere("open", name)
}

// Create implements ftp.FS.
func (nowhere) Create(_ context.Context, name string, _ int64) (ftp.Upload, error) {
	return nil, refuse("create", name, fs.ErrPermission, hintNowhere)
}

// Remove implements ftp.FS.
func (nowhere) Remove(_ context.Context, name string) error { return notThere("remove", name) }

// Rename implements ftp.FS.
func (nowhere) Rename(_ context.Context, from, _ string) error { return notThere("rename", from) }

// Mkdir implements ftp.FS.
func (nowhere) Mkdir(_ context.Context, dir string) error {
	return refuse("mkdir", dir, fs.ErrPermission, hintNowhere)
}

// Rmdir implements ftp.FS.
func (nowhere) Rmdir(_ context.Context, dir string) error { return notThere("rmdir", dir) }

// Permitted implements ftp.Permitter.
func (nowhere) Permitted(string, fs.FileInfo) ftp.Perm { return ftp.PermRead | ftp.PermEnter }

// Close implements ftp.FS.
func (nowhere) Close() error { return nil }
