package cached

import (
	"context"
	"io/fs"
	"iter"
	"time"

	"ferry/remote"
	"ferry/remote/wrap/intercept"
)

// call is around every call but Open.
func (r *Remote) call(ctx context.Context, c *intercept.Call) error {
	switch c.Op {
	case intercept.Stat:
		return r.stat(ctx, c)
	case intercept.List:
		return r.list(ctx, c)
	case intercept.Move:
		return r.move(ctx, c)
	case intercept.Copy:
		return r.change(ctx, c, c.To)
	case intercept.Put, intercept.Remove, intercept.Mkdir, intercept.Rmdir, intercept.SetModTime, intercept.SetMode, intercept.Stage,
		intercept.Commit, intercept.Keep, intercept.Abort, intercept.DropPart:
		return r.change(ctx, c, c.Name)
	}
	return c.Do(ctx)
}

// stat answers from a listing that counts, else the remote is asked for this name only. When it
// does not answer, what was listed once is there.
func (r *Remote) stat(ctx context.Context, c *intercept.Call) error {
	dir, base := remote.Split(c.Name)
	if c.Name == "." || !remote.ValidPath(c.Name) || ctx.Err() != nil {
		return c.Do(ctx)
	}
	l, isFresh := r.listings.get(dir)
	var e remote.Entry
	var found bool
	if l != nil {
		e, found = l.lookup(base)
	}
	switch {
	case isFresh && found:
		c.Entry = e
		return nil
	case isFresh && !r.Forward.Info().Caps.CaseInsensitive:
		return &fs.PathError{Op: "stat", Path: c.Name, Err: remote.ErrNotExist}
	}
	err := c.Do(ctx)
	if !silent(ctx, err) {
		return err
	}
	if found {
		c.Entry = e
		return nil
	}
	if own, _ := r.listings.get(c.Name); l == nil && own != nil {
		c.Entry = remote.Entry{Name: base, Dir: true}
		return nil
	}
	return err
}

// list keeps a directory that is not too large.
func (r *Remote) list(ctx context.Context, c *intercept.Call) error {
	if !remote.ValidPath(c.Name) || ctx.Err() != nil {
		return c.Do(ctx)
	}
	old, isFresh := r.listings.get(c.Name)
	if isFresh {
		old.yield(c.Yield)
		return nil
	}
	l := &listing{Dir: c.Name, At: time.Now()}
	changes, whole, yield := r.listings.begun(), true, c.Yield
	c.Yield = func(e remote.Entry, err error) bool {
		switch {
		case old != nil && len(l.Entries) == 0 && silent(ctx, err):
			old.yield(yield)
			whole = false
			return false
		case !yield(e, err) || err != nil:
			whole = false
			return false
		}
		if len(l.Entries) <= maxKept {
			l.Entries = append(l.Entries, e)
		}
		return true
	}
	err := c.Do(ctx)
	if whole && len(l.Entries) <= maxKept && ctx.Err() == nil {
		r.listings.keep(l, changes)
	}
	return err
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
func (r *Remote) change(ctx context.Context, c *intercept.Call, names ...string) error {
	r.listings.drop(names...)
	defer r.listings.drop(names...)
	return c.Do(ctx)
}

// move lets every listing go when a directory moves.
func (r *Remote) move(ctx context.Context, c *intercept.Call) error {
	isFile := r.listings.hasFile(c.Name)
	err := r.change(ctx, c, c.Name, c.To)
	if err == nil && !isFile && r.Forward.Info().Caps.MoveDir {
		r.listings.dropAll()
	}
	return err
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
