package writeback

import (
	"context"

	"ferry/cache"
	"ferry/remote"
)

// Where directories come with the files in them, one that nobody made is there because something
// waits in it. It lives until it is removed nevertheless: before the last that waits in it goes, a
// record of the directory itself is made. What is on the remote already the remote sees to.

// leave makes sure that the directory which name is in stays when what waits as name goes. done is
// called when it has gone, or has not.
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

// leaveFor is leave for what gets the name to, which may be in the same directory.
func (v *Tree) leaveFor(ctx context.Context, name, to string) (done func(), err error) {
	if dir, _ := remote.Split(name); remote.Below(v.pending.keyOf(to), v.pending.keyOf(dir)) {
		return func() {}, nil
	}
	return v.leave(ctx, name)
}

// keepEmptied makes a record of dir, unless it stays without what is leaving it.
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
	v.queueUp(kept{change: newChange(rec, v.dueNow()), free: func() {}}, nil)
	return nil
}

// stays reports whether dir is there by what waits, without what is leaving it. Otherwise removal
// is what is to remove dir on the remote, if that waits.
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
