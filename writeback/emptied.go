package writeback

import (
	"context"

	"ferry/cache"
	"ferry/remote"
)

// On a remote with implicit directories, a directory may exist only because of a pending file in
// it. It must nevertheless exist until it is removed: before its last pending file goes, a record
// of the directory itself is made. For files on the remote, the remote takes care of this.

// leave makes sure that the directory of name continues to exist when the pending file name goes.
// The caller calls done when it has gone, or has not.
func (v *Tree) leave(ctx context.Context, name string) (done func(), err error) {
	dir, _ := remote.Split(name)
	if !v.caps.ImplicitDirs || dir == "." {
		return func() {}, nil
	}
	key := v.pending.keyOf(dir)
	v.mu.Lock()
	v.leaving[key]++
	v.mu.Unlock()
	done = func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		if v.leaving[key]--; v.leaving[key] == 0 {
			delete(v.leaving, key)
		}
	}
	if err := v.keepEmptied(ctx, dir); err != nil {
		done()
		return nil, err
	}
	return done, nil
}

// leaveFor is leave for a file that is renamed to to, which may be in the same directory.
func (v *Tree) leaveFor(ctx context.Context, name, to string) (done func(), err error) {
	if dir, _ := remote.Split(name); remote.Below(v.pending.keyOf(to), v.pending.keyOf(dir)) {
		return func() {}, nil
	}
	return v.leave(ctx, name)
}

// keepEmptied makes a record of dir, unless dir exists without the files that are leaving it.
func (v *Tree) keepEmptied(ctx context.Context, dir string) error {
	if stays, _ := v.stays(dir); stays {
		return nil
	}
	release, err := v.emptied.take(ctx, v.pending.keyOf(dir))
	if err != nil {
		return err
	}
	defer release()
	for {
		stays, removal := v.stays(dir)
		if stays {
			return nil
		}
		if removal == nil {
			break
		}
		if made, err := v.remakeDir(ctx, removal); made || err != nil {
			return err
		}
	}
	if e, err := v.names.StatSoon(ctx, dir); err == nil && e.Dir {
		return nil
	} else if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	rec, err := v.store.Add(ctx, cache.Record{Kind: cache.Dir, Name: dir}, v.durability())
	if err != nil {
		return err
	}
	v.enqueueRecord(kept{change: newChange(rec, v.dueNow()), free: func() {}}, nil)
	return nil
}

// remakeDir creates a directory again whose removal is pending; it returns false if the removal is
// not pending any more.
func (v *Tree) remakeDir(ctx context.Context, c *change) (bool, error) {
	if pinned, err := v.pin(ctx, c); !pinned {
		return false, err
	}
	rec, err := v.store.Add(ctx, cache.Record{Kind: cache.Dir, Name: c.rec.Name}, v.durability())
	if err != nil {
		v.unpin(c)
		return false, err
	}
	k := newKept(rec)
	k.old, k.free = []*change{c}, func() { v.unpin(c) }
	v.enqueueRecord(k, nil)
	return true, nil
}

// stays reports whether dir exists by pending changes other than those leaving it. If not, removal
// is the pending removal of dir, if there is one.
func (v *Tree) stays(dir string) (stays bool, removal *change) {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := v.pending.find(dir)
	if n == nil {
		return false, nil
	}
	t, ok := n.top()
	switch {
	case ok && !t.gone(), n.below > v.leaving[v.pending.keyOf(dir)]:
		return true, nil
	case ok && !t.removes && t.change.rec.Kind == cache.RemovedDir:
		return false, t.change
	}
	return false, nil
}
