package limit

import (
	"context"
	"io/fs"
	"iter"
	"time"

	"ferry/remote"
)

// Stat implements remote.Remote.
func (r *Remote) Stat(ctx context.Context, name string) (e remote.Entry, err error) {
	err = r.call(ctx, "stat", name, func() (err error) {
		e, err = r.Forward.Stat(ctx, name)
		return err
	})
	return e, err
}

// List implements remote.Remote. Its connection is free while an entry is looked at, so that the
// consumer may make calls of its own.
func (r *Remote) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		if err := r.enter(ctx, "list", dir); err != nil {
			yield(remote.Entry{}, err)
			return
		}
		inside := true
		defer func() {
			if inside {
				r.leave()
			}
		}()
		for e, err := range r.Forward.List(ctx, dir) {
			r.leave()
			inside = false
			if !yield(e, err) || err != nil {
				return
			}
			if err := r.take(ctx); err != nil {
				yield(remote.Entry{}, &fs.PathError{Op: "list", Path: dir, Err: err})
				return
			}
			inside = true
		}
	}
}

// Remove implements remote.Remote.
func (r *Remote) Remove(ctx context.Context, name string) error {
	return r.call(ctx, "remove", name, func() error { return r.Forward.Remove(ctx, name) })
}

// RemoveVersion implements remote.VersionRemover.
func (r *Remote) RemoveVersion(ctx context.Context, name, version string) error {
	return r.call(ctx, "remove", name, func() error { return r.Forward.RemoveVersion(ctx, name, version) })
}

// Mkdir implements remote.Remote.
func (r *Remote) Mkdir(ctx context.Context, dir string) error {
	return r.call(ctx, "mkdir", dir, func() error { return r.Forward.Mkdir(ctx, dir) })
}

// Rmdir implements remote.Remote.
func (r *Remote) Rmdir(ctx context.Context, dir string) error {
	return r.call(ctx, "rmdir", dir, func() error { return r.Forward.Rmdir(ctx, dir) })
}

// Move implements remote.Mover.
func (r *Remote) Move(ctx context.Context, from, to string) error {
	return r.call(ctx, "move", from, func() error { return r.Forward.Move(ctx, from, to) })
}

// Copy implements remote.Copier. What the remote copies on its own side does not count as
// bandwidth.
func (r *Remote) Copy(ctx context.Context, from, to string) error {
	return r.call(ctx, "copy", from, func() error { return r.Forward.Copy(ctx, from, to) })
}

// SetModTime implements remote.ModTimer.
func (r *Remote) SetModTime(ctx context.Context, name string, t time.Time) error {
	return r.call(ctx, "setmodtime", name, func() error { return r.Forward.SetModTime(ctx, name, t) })
}

// SetMode implements remote.Moder.
func (r *Remote) SetMode(ctx context.Context, name string, perm fs.FileMode) error {
	return r.call(ctx, "setmode", name, func() error { return r.Forward.SetMode(ctx, name, perm) })
}

// Hash implements remote.Hasher.
func (r *Remote) Hash(ctx context.Context, name, algorithm string) (sum []byte, err error) {
	err = r.call(ctx, "hash", name, func() (err error) {
		sum, err = r.Forward.Hash(ctx, name, algorithm)
		return err
	})
	return sum, err
}

// Usage implements remote.Usager.
func (r *Remote) Usage(ctx context.Context) (u remote.Usage, err error) {
	err = r.call(ctx, "usage", ".", func() (err error) {
		u, err = r.Forward.Usage(ctx)
		return err
	})
	return u, err
}

// Part implements remote.Stager.
func (r *Remote) Part(ctx context.Context, name, owner string) (e remote.Entry, err error) {
	err = r.call(ctx, "part", name, func() (err error) {
		e, err = r.Forward.Part(ctx, name, owner)
		return err
	})
	return e, err
}

// DropPart implements remote.Stager.
func (r *Remote) DropPart(ctx context.Context, name, owner string) error {
	return r.call(ctx, "droppart", name, func() error { return r.Forward.DropPart(ctx, name, owner) })
}
