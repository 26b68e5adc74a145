package intercept

import (
	"context"
	"io"
	"io/fs"
	"iter"
	"time"

	"ferry/remote"
)

// Stat implements remote.Remote.
func (r *Remote) Stat(ctx context.Context, name string) (remote.Entry, error) {
	c := r.call(Stat, name)
	defer r.free(c)
	err := r.run(ctx, c, func(ctx context.Context, c *Call) (err error) {
		c.Entry, err = c.below.Stat(ctx, c.Name)
		return err
	})
	return c.Entry, err
}

// List implements remote.Remote.
func (r *Remote) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		c := r.call(List, dir)
		defer r.free(c)
		c.Yield = yield
		err := r.run(ctx, c, func(ctx context.Context, c *Call) error {
			for e, err := range c.below.List(ctx, c.Name) {
				if !c.Yield(e, err) || err != nil {
					c.over = true
					return err
				}
			}
			return nil
		})
		if err != nil && !c.over {
			yield(remote.Entry{}, err)
		}
	}
}

// Open implements remote.Remote.
func (r *Remote) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	c := r.call(Open, name)
	defer r.free(c)
	c.Offset, c.Length = off, n
	err := r.run(ctx, c, func(ctx context.Context, c *Call) (err error) {
		c.Reader, err = c.below.Open(ctx, c.Name, c.Offset, c.Length)
		return err
	})
	return c.Reader, err
}

// Put implements remote.Remote.
func (r *Remote) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	c := r.call(Put, name)
	defer r.free(c)
	c.Body, c.Put = body, o
	err := r.run(ctx, c, func(ctx context.Context, c *Call) (err error) {
		c.Entry, err = c.below.Put(ctx, c.Name, c.Body, c.Put)
		return err
	})
	return c.Entry, err
}

// PutIf implements remote.ConditionalPutter.
func (r *Remote) PutIf(ctx context.Context, name string, body io.Reader, version string, o remote.PutOptions) (remote.Entry, error) {
	c := r.call(Put, name)
	defer r.free(c)
	c.Body, c.Put, c.Version, c.If = body, o, version, true
	err := r.run(ctx, c, func(ctx context.Context, c *Call) (err error) {
		c.Entry, err = c.below.PutIf(ctx, c.Name, c.Body, c.Version, c.Put)
		return err
	})
	return c.Entry, err
}

// Remove implements remote.Remote.
func (r *Remote) Remove(ctx context.Context, name string) error {
	c := r.call(Remove, name)
	defer r.free(c)
	return r.run(ctx, c, func(ctx context.Context, c *Call) error { return c.below.Remove(ctx, c.Name) })
}

// RemoveVersion implements remote.VersionRemover.
func (r *Remote) RemoveVersion(ctx context.Context, name, version string) error {
	c := r.call(Remove, name)
	defer r.free(c)
	c.Version = version
	return r.run(ctx, c, func(ctx context.Context, c *Call) error {
		return c.below.RemoveVersion(ctx, c.Name, c.Version)
	})
}

// Mkdir implements remote.Remote.
func (r *Remote) Mkdir(ctx context.Context, dir string) error {
	c := r.call(Mkdir, dir)
	defer r.free(c)
	return r.run(ctx, c, func(ctx context.Context, c *Call) error { return c.below.Mkdir(ctx, c.Name) })
}

// Rmdir implements remote.Remote.
func (r *Remote) Rmdir(ctx context.Context, dir string) error {
	c := r.call(Rmdir, dir)
	defer r.free(c)
	return r.run(ctx, c, func(ctx context.Context, c *Call) error { return c.below.Rmdir(ctx, c.Name) })
}

// Move implements remote.Mover.
func (r *Remote) Move(ctx context.Context, from, to string) error {
	c := r.call(Move, from)
	defer r.free(c)
	c.To = to
	return r.run(ctx, c, func(ctx context.Context, c *Call) error { return c.below.Move(ctx, c.Name, c.To) })
}

// Copy implements remote.Copier.
func (r *Remote) Copy(ctx context.Context, from, to string) error {
	c := r.call(Copy, from)
	defer r.free(c)
	c.To = to
	return r.run(ctx, c, func(ctx context.Context, c *Call) error { return c.below.Copy(ctx, c.Name, c.To) })
}

// SetModTime implements remote.ModTimer.
func (r *Remote) SetModTime(ctx context.Context, name string, t time.Time) error {
	c := r.call(SetModTime, name)
	defer r.free(c)
	c.ModTime = t
	return r.run(ctx, c, func(ctx context.Context, c *Call) error {
		return c.below.SetModTime(ctx, c.Name, c.ModTime)
	})
}

// SetMode implements remote.Moder.
func (r *Remote) SetMode(ctx context.Context, name string, perm fs.FileMode) error {
	c := r.call(SetMode, name)
	defer r.free(c)
	c.Mode = perm
	return r.run(ctx, c, func(ctx context.Context, c *Call) error { return c.below.SetMode(ctx, c.Name, c.Mode) })
}

// Hash implements remote.Hasher.
func (r *Remote) Hash(ctx context.Context, name, algorithm string) ([]byte, error) {
	c := r.call(Hash, name)
	defer r.free(c)
	c.Algorithm = algorithm
	err := r.run(ctx, c, func(ctx context.Context, c *Call) (err error) {
		c.Digest, err = c.below.Hash(ctx, c.Name, c.Algorithm)
		return err
	})
	return c.Digest, err
}

// CheckTarget implements remote.TargetChecker.
func (r *Remote) CheckTarget(ctx context.Context, name string) error {
	c := r.call(CheckTarget, name)
	defer r.free(c)
	return r.run(ctx, c, func(ctx context.Context, c *Call) error { return c.below.CheckTarget(ctx, c.Name) })
}

// Usage implements remote.Usager.
func (r *Remote) Usage(ctx context.Context) (remote.Usage, error) {
	c := r.call(Usage, ".")
	defer r.free(c)
	err := r.run(ctx, c, func(ctx context.Context, c *Call) (err error) {
		c.Usage, err = c.below.Usage(ctx)
		return err
	})
	return c.Usage, err
}

// Part implements remote.Stager.
func (r *Remote) Part(ctx context.Context, name, owner string) (remote.Entry, error) {
	c := r.call(Part, name)
	defer r.free(c)
	c.Owner = owner
	err := r.run(ctx, c, func(ctx context.Context, c *Call) (err error) {
		c.Entry, err = c.below.Part(ctx, c.Name, c.Owner)
		return err
	})
	return c.Entry, err
}

// DropPart implements remote.Stager.
func (r *Remote) DropPart(ctx context.Context, name, owner string) error {
	c := r.call(DropPart, name)
	defer r.free(c)
	c.Owner = owner
	return r.run(ctx, c, func(ctx context.Context, c *Call) error { return c.below.DropPart(ctx, c.Name, c.Owner) })
}
