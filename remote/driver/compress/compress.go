// Package compress reads what rclone's type of this name has stored: files that are compressed one
// by one. It stores nothing.
//
// A file is two of the remote below: its content, as NAME.LENGTH.gz with the length in eleven
// characters or as NAME.bin where compression gains nothing, and NAME.json, which says how to read
// it. Contents compressed by zstd are refused: rclone writes them in an order of its own.
//
//	compress.go   New, Info, and the calls that change nothing
//	tree.go       Stat, List
//	read.go       Open
//	sidecar.go    NAME.json; name.go: the names below
package compress

import (
	"context"
	"io"
	"iter"
	"time"

	"ferry/remote"
)

// Remote is the files of another remote, decompressed.
type Remote struct {
	below remote.Remote
	info  remote.Info
}

// New returns the remote above below, which it takes over.
func New(below remote.Remote) *Remote {
	info := below.Info()
	caps := info.Caps
	caps.ReadOnly, caps.Modes, caps.NoParts = true, false, true
	return &Remote{below: below, info: remote.Info{Name: "compress:" + info.Name, Place: "compress:" + info.Identity(), Caps: caps}}
}

// Info implements remote.Remote.
func (r *Remote) Info() remote.Info { return r.info }

// Run implements remote.Runner.
func (r *Remote) Run(ctx context.Context) error { return remote.Run(ctx, r.below) }

// Close implements remote.Remote.
func (r *Remote) Close() error { return r.below.Close() }

// Put implements remote.Remote: it is ErrPermission, as is every change.
func (r *Remote) Put(_ context.Context, name string, _ io.Reader, _ remote.PutOptions) (remote.Entry, error) {
	return remote.Entry{}, refused("put", name)
}

// Remove implements remote.Remote.
func (r *Remote) Remove(_ context.Context, name string) error { return refused("remove", name) }

// Mkdir implements remote.Remote.
func (r *Remote) Mkdir(_ context.Context, dir string) error { return refused("mkdir", dir) }

// Rmdir implements remote.Remote.
func (r *Remote) Rmdir(_ context.Context, dir string) error { return refused("rmdir", dir) }

func refused(op, name string) error {
	if !remote.ValidPath(name) {
		return remote.Fail(op, name, remote.ErrInvalid)
	}
	return remote.Fail(op, name, remote.ErrPermission)
}

// Hash implements remote.Hasher: MD5 is known of every file.
func (r *Remote) Hash(ctx context.Context, name, algorithm string) ([]byte, error) {
	f, err := r.find(ctx, name)
	switch {
	case err != nil:
	case f.entry.Dir:
		err = remote.ErrIsDir
	case algorithm != remote.MD5 || len(f.side.sum()) == 0:
		err = remote.ErrUnsupported
	default:
		return f.side.sum(), nil
	}
	return nil, remote.Renamed("hash", name, err)
}

// Usage implements remote.Usager.
func (r *Remote) Usage(ctx context.Context) (remote.Usage, error) {
	return remote.GetUsage(ctx, r.below)
}

// Watch implements remote.Watcher.
func (r *Remote) Watch(ctx context.Context, interval time.Duration) iter.Seq2[remote.Change, error] {
	return func(yield func(remote.Change, error) bool) {
		w, ok := remote.AsWatcher(r.below)
		if !ok {
			yield(remote.Change{}, remote.Renamed("watch", ".", remote.ErrUnsupported))
			return
		}
		for c, err := range w.Watch(ctx, interval) {
			if !c.Dir {
				dir, base := remote.Split(c.Name)
				c.Name, c.Version = remote.Join(dir, plainName(base)), ""
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}
