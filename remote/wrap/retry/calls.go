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

// List implements remote.Remote. It begins again only as long as nothing was yielded: a second
// listing may come in another order.
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

// DropPart implements remote.Stager.
func (r *Remote) DropPart(ctx context.Context, name, owner string) error {
	return r.repeat(ctx, "droppart", name, func(before int) error {
		err := r.Forward.DropPart(ctx, name, owner)
		if before > 0 && errors.Is(err, remote.ErrNotExist) {
			return nil
		}
		return err
	})
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
