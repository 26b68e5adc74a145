package faulty

import (
	"context"
	"io"
	"io/fs"
	"iter"
	"time"

	"ferry/remote"
)

// Stat implements remote.Remote.
func (r *Remote) Stat(ctx context.Context, name string) (e remote.Entry, err error) {
	err = r.call(ctx, Stat, name, func() (err error) {
		e, err = r.Forward.Stat(ctx, name)
		return err
	})
	return valid(e, err), err
}

// List implements remote.Remote.
func (r *Remote) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		f := r.pick(List, dir)
		if f == nil {
			r.Forward.List(ctx, dir)(yield)
			return
		}
		if err := f.wait(ctx, List, dir); err != nil {
			yield(remote.Entry{}, err)
			return
		}
		left := f.After
		for e, err := range r.Forward.List(ctx, dir) {
			if left == 0 && !f.Slow && !f.Late {
				break
			}
			left--
			if !yield(e, err) || err != nil {
				return
			}
		}
		if !f.Slow {
			yield(remote.Entry{}, r.fault(f, List, dir))
		}
	}
}

// Open implements remote.Remote.
func (r *Remote) Open(ctx context.Context, name string, off, n int64) (rc io.ReadCloser, err error) {
	err = r.call(ctx, Open, name, func() (err error) {
		rc, err = r.Forward.Open(ctx, name, off, n)
		return err
	})
	if err != nil {
		if rc != nil { // the fault was a late one
			rc.Close()
		}
		return nil, err
	}
	if f := r.pick(Read, name); f != nil {
		return &reader{r: r, f: f, name: name, left: f.After, inner: rc}, nil
	}
	return rc, nil
}

// Put implements remote.Remote. A fault that neither is slow nor leaves the change in doubt lets
// the body break off.
func (r *Remote) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	f := r.pick(Put, name)
	if f == nil {
		return r.Forward.Put(ctx, name, body, o)
	}
	if f.sends(Put) {
		return r.sendPut(ctx, f, name, body, o)
	}
	if err := f.wait(ctx, Put, name); err != nil {
		return remote.Entry{}, err
	}
	if !f.Slow && !f.Late {
		body = &reader{r: r, f: f, op: Put, name: name, left: f.After, inner: io.NopCloser(body)}
	}
	e, err := r.Forward.Put(ctx, name, body, o)
	if err == nil && f.Late {
		remote.Unanswered(ctx)
		err = r.fault(f, Put, name)
	}
	return valid(e, err), err
}

// Remove implements remote.Remote.
func (r *Remote) Remove(ctx context.Context, name string) error {
	return r.change(ctx, Remove, name, func(ctx context.Context) error { return r.Forward.Remove(ctx, name) })
}

// RemoveVersion implements remote.VersionRemover. Its faults are those of Remove.
func (r *Remote) RemoveVersion(ctx context.Context, name, version string) error {
	return r.change(ctx, Remove, name, func(ctx context.Context) error {
		return r.Forward.RemoveVersion(ctx, name, version)
	})
}

// Mkdir implements remote.Remote.
func (r *Remote) Mkdir(ctx context.Context, dir string) error {
	return r.change(ctx, Mkdir, dir, func(ctx context.Context) error { return r.Forward.Mkdir(ctx, dir) })
}

// Rmdir implements remote.Remote.
func (r *Remote) Rmdir(ctx context.Context, dir string) error {
	return r.change(ctx, Rmdir, dir, func(ctx context.Context) error { return r.Forward.Rmdir(ctx, dir) })
}

// Move implements remote.Mover. The name that a fault goes by is the old one.
func (r *Remote) Move(ctx context.Context, from, to string) error {
	return r.change(ctx, Move, from, func(ctx context.Context) error { return r.Forward.Move(ctx, from, to) })
}

// Copy implements remote.Copier. The name that a fault goes by is the old one.
func (r *Remote) Copy(ctx context.Context, from, to string) error {
	return r.change(ctx, Copy, from, func(ctx context.Context) error { return r.Forward.Copy(ctx, from, to) })
}

// SetModTime implements remote.ModTimer.
func (r *Remote) SetModTime(ctx context.Context, name string, t time.Time) error {
	return r.change(ctx, SetModTime, name, func(ctx context.Context) error { return r.Forward.SetModTime(ctx, name, t) })
}

// SetMode implements remote.Moder.
func (r *Remote) SetMode(ctx context.Context, name string, perm fs.FileMode) error {
	return r.change(ctx, SetMode, name, func(ctx context.Context) error { return r.Forward.SetMode(ctx, name, perm) })
}

// Hash implements remote.Hasher.
func (r *Remote) Hash(ctx context.Context, name, algorithm string) (sum []byte, err error) {
	err = r.call(ctx, Hash, name, func() (err error) {
		sum, err = r.Forward.Hash(ctx, name, algorithm)
		return err
	})
	return valid(sum, err), err
}

// Usage implements remote.Usager. The name that a fault goes by is ".".
func (r *Remote) Usage(ctx context.Context) (u remote.Usage, err error) {
	err = r.call(ctx, Usage, ".", func() (err error) {
		u, err = r.Forward.Usage(ctx)
		return err
	})
	return valid(u, err), err
}

// Part implements remote.Stager.
func (r *Remote) Part(ctx context.Context, name, owner string) (e remote.Entry, err error) {
	err = r.call(ctx, Part, name, func() (err error) {
		e, err = r.Forward.Part(ctx, name, owner)
		return err
	})
	return valid(e, err), err
}

// DropPart implements remote.Stager.
func (r *Remote) DropPart(ctx context.Context, name, owner string) error {
	return r.call(ctx, DropPart, name, func() error { return r.Forward.DropPart(ctx, name, owner) })
}

// valid returns v, or nothing when there is an error.
func valid[T any](v T, err error) T {
	if err != nil {
		var nothing T
		return nothing
	}
	return v
}
