package cached

import (
	"context"
	"io"
	"io/fs"
	"iter"
	"time"

	"ferry/remote"
)

// Stat implements remote.Remote: from a listing that counts, else the remote is asked for this name
// only. When it does not answer, what was listed once is there.
func (r *Remote) Stat(ctx context.Context, name string) (remote.Entry, error) {
	dir, base := remote.Split(name)
	if name == "." || !remote.ValidPath(name) || ctx.Err() != nil {
		return r.Forward.Stat(ctx, name)
	}
	l, isFresh := r.listings.get(dir)
	var e remote.Entry
	var found bool
	if l != nil {
		e, found = l.lookup(base)
	}
	switch {
	case isFresh && found:
		return e, nil
	case isFresh && !r.Forward.Info().Caps.CaseInsensitive:
		return remote.Entry{}, &fs.PathError{Op: "stat", Path: name, Err: remote.ErrNotExist}
	}
	asked, err := r.Forward.Stat(ctx, name)
	if !silent(ctx, err) {
		return asked, err
	}
	if found {
		return e, nil
	}
	if own, _ := r.listings.get(name); l == nil && own != nil {
		return remote.Entry{Name: base, Dir: true}, nil
	}
	return asked, err
}

// List implements remote.Remote. A directory that is not too large is kept.
func (r *Remote) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		if !remote.ValidPath(dir) || ctx.Err() != nil {
			r.Forward.List(ctx, dir)(yield)
			return
		}
		old, isFresh := r.listings.get(dir)
		if isFresh {
			old.yield(yield)
			return
		}
		l := &listing{Dir: dir, At: time.Now()}
		changes := r.listings.begun()
		for e, err := range r.Forward.List(ctx, dir) {
			if old != nil && len(l.Entries) == 0 && silent(ctx, err) {
				old.yield(yield)
				return
			}
			if !yield(e, err) || err != nil {
				return
			}
			if len(l.Entries) <= maxKept {
				l.Entries = append(l.Entries, e)
			}
		}
		if len(l.Entries) <= maxKept && ctx.Err() == nil {
			r.listings.keep(l, changes)
		}
	}
}

func (l *listing) yield(yield func(remote.Entry, error) bool) {
	for _, e := range l.Entries {
		if !yield(e, nil) {
			return
		}
	}
}

// change makes a call that changes names. What is kept of them goes before, so that it is gone when
// the process dies in between, and again afterwards, as somebody may have asked meanwhile.
func (r *Remote) change(call func() error, names ...string) error {
	r.listings.drop(names...)
	defer r.listings.drop(names...)
	return call()
}

// Put implements remote.Remote.
func (r *Remote) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (e remote.Entry, err error) {
	err = r.change(func() error {
		e, err = r.Forward.Put(ctx, name, body, o)
		return err
	}, name)
	return e, err
}

// Remove implements remote.Remote.
func (r *Remote) Remove(ctx context.Context, name string) error {
	return r.change(func() error { return r.Forward.Remove(ctx, name) }, name)
}

// RemoveVersion implements remote.VersionRemover.
func (r *Remote) RemoveVersion(ctx context.Context, name, version string) error {
	return r.change(func() error { return r.Forward.RemoveVersion(ctx, name, version) }, name)
}

// Mkdir implements remote.Remote.
func (r *Remote) Mkdir(ctx context.Context, dir string) error {
	return r.change(func() error { return r.Forward.Mkdir(ctx, dir) }, dir)
}

// Rmdir implements remote.Remote.
func (r *Remote) Rmdir(ctx context.Context, dir string) error {
	return r.change(func() error { return r.Forward.Rmdir(ctx, dir) }, dir)
}

// Move implements remote.Mover. When a directory moves, every listing goes.
func (r *Remote) Move(ctx context.Context, from, to string) error {
	isFile := r.listings.hasFile(from)
	return r.change(func() error {
		err := r.Forward.Move(ctx, from, to)
		if err == nil && !isFile && r.Forward.Info().Caps.MoveDir {
			r.listings.dropAll()
		}
		return err
	}, from, to)
}

// Copy implements remote.Copier.
func (r *Remote) Copy(ctx context.Context, from, to string) error {
	return r.change(func() error { return r.Forward.Copy(ctx, from, to) }, to)
}

// SetModTime implements remote.ModTimer.
func (r *Remote) SetModTime(ctx context.Context, name string, t time.Time) error {
	return r.change(func() error { return r.Forward.SetModTime(ctx, name, t) }, name)
}

// SetMode implements remote.Moder.
func (r *Remote) SetMode(ctx context.Context, name string, perm fs.FileMode) error {
	return r.change(func() error { return r.Forward.SetMode(ctx, name, perm) }, name)
}

// Stage implements remote.Stager.
func (r *Remote) Stage(ctx context.Context, name string, o remote.StageOptions) (s remote.Stage, err error) {
	err = r.change(func() error {
		s, err = r.Forward.Stage(ctx, name, o)
		return err
	}, name)
	if err != nil {
		return nil, err
	}
	ended := func(string, time.Duration, error) { r.listings.drop(name) }
	return remote.TapStage(s, func(int64, error) {}, ended), nil
}

// DropPart implements remote.Stager.
func (r *Remote) DropPart(ctx context.Context, name, owner string) error {
	return r.change(func() error { return r.Forward.DropPart(ctx, name, owner) }, name)
}

// Watch implements remote.Watcher.
func (r *Remote) Watch(ctx context.Context, interval time.Duration) iter.Seq2[remote.Change, error] {
	return func(yield func(remote.Change, error) bool) {
		for c, err := range r.Forward.Watch(ctx, interval) {
			if err == nil && c.Below {
				r.listings.dropAll()
			} else if err == nil {
				r.listings.drop(c.Name)
			}
			if !yield(c, err) {
				return
			}
		}
	}
}
