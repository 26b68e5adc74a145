package retry

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"time"

	"ferry/remote"
)

// Stat implements remote.Remote.
func (r *Remote) Stat(ctx context.Context, name string) (e remote.Entry, err error) {
	err = r.repeat(ctx, "stat", name, func(int) (err error) {
		e, err = r.Forward.Stat(ctx, name)
		return err
	})
	return e, err
}

// List implements remote.Remote. It begins again only as long as nothing was yielded: a second listing may come in
// another order.
func (r *Remote) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		var cut error // what ended the listing after it had begun
		err := r.repeat(ctx, "list", dir, func(int) error {
			begun := false
			for e, err := range r.Forward.List(ctx, dir) {
				if err != nil && begun {
					cut = err
					return nil
				}
				if err != nil {
					return err
				}
				begun = true
				if !yield(e, nil) {
					return nil
				}
			}
			return nil
		})
		if err == nil {
			err = cut
		}
		if err != nil {
			yield(remote.Entry{}, err)
		}
	}
}

// Remove implements remote.Remote.
func (r *Remote) Remove(ctx context.Context, name string) error {
	return r.vanish(ctx, "remove", name, func() error { return r.Forward.Remove(ctx, name) })
}

// RemoveVersion implements remote.VersionRemover.
func (r *Remote) RemoveVersion(ctx context.Context, name, version string) error {
	return r.vanish(ctx, "remove", name, func() error { return r.Forward.RemoveVersion(ctx, name, version) })
}

// Rmdir implements remote.Remote.
func (r *Remote) Rmdir(ctx context.Context, dir string) error {
	return r.vanish(ctx, "rmdir", dir, func() error { return r.Forward.Rmdir(ctx, dir) })
}

// DropPart implements remote.Stager.
func (r *Remote) DropPart(ctx context.Context, name, owner string) error {
	return r.vanish(ctx, "droppart", name, func() error { return r.Forward.DropPart(ctx, name, owner) })
}

// vanish repeats a call that makes something go away.
func (r *Remote) vanish(ctx context.Context, op, name string, call func() error) error {
	return r.repeat(ctx, op, name, func(before int) error {
		err := call()
		if before > 0 && errors.Is(err, remote.ErrNotExist) {
			return nil
		}
		return err
	})
}

// Mkdir implements remote.Remote.
func (r *Remote) Mkdir(ctx context.Context, dir string) error {
	return r.repeat(ctx, "mkdir", dir, func(before int) error {
		err := r.Forward.Mkdir(ctx, dir)
		if before > 0 && errors.Is(err, remote.ErrExist) {
			if e, statErr := r.Stat(ctx, dir); statErr == nil && e.Dir {
				return nil
			}
		}
		return err
	})
}

// Move implements remote.Mover. When a repetition does not find what it should move, or finds the new name taken, it
// looks whether the call before has moved it.
func (r *Remote) Move(ctx context.Context, from, to string) error {
	return r.repeat(ctx, "move", from, func(before int) error {
		err := r.Forward.Move(ctx, from, to)
		if before > 0 && (errors.Is(err, remote.ErrNotExist) || errors.Is(err, remote.ErrExist)) && r.moved(ctx, from, to) {
			return nil
		}
		return err
	})
}

func (r *Remote) moved(ctx context.Context, from, to string) bool {
	_, err := r.Stat(ctx, to)
	if err != nil {
		return false
	}
	_, err = r.Stat(ctx, from)
	return errors.Is(err, remote.ErrNotExist)
}

// Copy implements remote.Copier.
func (r *Remote) Copy(ctx context.Context, from, to string) error {
	return r.repeat(ctx, "copy", from, func(int) error { return r.Forward.Copy(ctx, from, to) })
}

// SetModTime implements remote.ModTimer.
func (r *Remote) SetModTime(ctx context.Context, name string, t time.Time) error {
	return r.repeat(ctx, "setmodtime", name, func(int) error { return r.Forward.SetModTime(ctx, name, t) })
}

// SetMode implements remote.Moder.
func (r *Remote) SetMode(ctx context.Context, name string, perm fs.FileMode) error {
	return r.repeat(ctx, "setmode", name, func(int) error { return r.Forward.SetMode(ctx, name, perm) })
}

// Hash implements remote.Hasher.
func (r *Remote) Hash(ctx context.Context, name, algorithm string) (sum []byte, err error) {
	err = r.repeat(ctx, "hash", name, func(int) (err error) {
		sum, err = r.Forward.Hash(ctx, name, algorithm)
		return err
	})
	return sum, err
}

// Usage implements remote.Usager.
func (r *Remote) Usage(ctx context.Context) (u remote.Usage, err error) {
	err = r.repeat(ctx, "usage", ".", func(int) (err error) {
		u, err = r.Forward.Usage(ctx)
		return err
	})
	return u, err
}
