package writeback

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"ferry/cache"
	"ferry/dircache"
	"ferry/remote"
)

// Changes while the remote is away become records: of removals, of renames, and of created and
// removed directories.

// newKept returns a record that supersedes none.
func newKept(rec cache.Record) kept {
	return kept{change: newChange(rec, rec.Committed), free: func() {}}
}

// removeStored removes a file that is not pending.
func (v *Tree) removeStored(ctx context.Context, name string) error {
	keep := func(ctx context.Context) (kept, error) { return v.keepRemoval(ctx, name) }
	switch {
	case !v.canRecord():
		return v.removeThere(ctx, name)
	case !v.doubts.about(0, name).IsZero(), v.doubts.pause([]string{name}) > 0, !v.breaker.Closed(): // it can be repeated
		return v.recordOnly(ctx, keep)
	}
	return v.applyOrRecord(ctx, lateChange{call: func(ctx context.Context) error { return v.removeThere(ctx, name) }, keep: keep})
}

// applyOrRecordOnce is applyOrRecord for a change of names that cannot be repeated. While the names
// are in doubt, the change waits as a record or, if there cannot be one, with its client.
func (v *Tree) applyOrRecordOnce(ctx context.Context, l lateChange, names ...string) error {
	inDoubt := v.doubts.pause(names) > 0
	if inDoubt || !v.breaker.Closed() {
		if err := v.recordOnly(ctx, l.keep); !errors.Is(err, errNotRecorded) {
			return err
		}
	}
	if inDoubt {
		return l.call(ctx)
	}
	return v.applyOrRecord(ctx, l)
}

// recordOnly makes a record of a change without a call of the remote.
func (v *Tree) recordOnly(ctx context.Context, keep func(context.Context) (kept, error)) error {
	k, err := keep(ctx)
	if err == nil {
		v.enqueueRecord(k, nil)
	}
	return err
}

// keepRemoval makes the record of a removal, unless the file is known not to exist.
func (v *Tree) keepRemoval(ctx context.Context, name string) (kept, error) {
	e, err := v.names.StatSoon(ctx, name)
	switch {
	case err == nil && e.Dir:
		return kept{}, remote.ErrIsDir
	case errors.Is(err, remote.ErrNotExist), errors.Is(err, remote.ErrNotDir), err != nil && ctx.Err() != nil:
		return kept{}, err
	}
	v.logProbeFailure(ctx, name, err)
	rec, err := v.store.Add(ctx, cache.Record{Kind: cache.Removed, Name: name}, v.durability())
	return newKept(rec), err
}

// keepDir makes the record of a new directory. tried means that the remote was called for it.
func (v *Tree) keepDir(ctx context.Context, dir string, tried bool) (kept, error) {
	if _, err := v.names.StatSoon(ctx, dir); err == nil {
		return kept{}, remote.ErrExist
	} else if ctx.Err() != nil {
		return kept{}, err
	}
	err := v.checkParent(ctx, dir)
	if err == nil && v.caps.ImplicitDirs {
		err = v.checkImplicit(ctx, dir)
	}
	if err != nil {
		return kept{}, err
	}
	base := cache.BaseAbsent
	if tried {
		base = cache.BaseUnknown
	}
	rec, err := v.store.Add(ctx, cache.Record{Kind: cache.Dir, Name: dir, Base: base}, v.durability())
	return newKept(rec), err
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

// rmdirStored removes a directory that is not pending.
func (v *Tree) rmdirStored(ctx context.Context, dir string) error {
	keep := func(ctx context.Context) (kept, error) { return v.keepDirRemoval(ctx, dir, nil) }
	if !v.canRecord() || dir == "." {
		return v.rmdirThere(ctx, dir)
	}
	return v.applyOrRecordOnce(ctx, lateChange{
		call: func(ctx context.Context) error { return v.rmdirThere(ctx, dir) }, keep: keep,
	}, dir)
}

// keepDirRemoval makes the record of the removal of a directory that is known to be empty. c, which
// may be nil, created it here.
func (v *Tree) keepDirRemoval(ctx context.Context, dir string, c *change) (kept, error) {
	if c == nil && !v.knownEmpty(dir) {
		return kept{}, errNotRecorded
	}
	rec, err := v.store.Add(ctx, cache.Record{Kind: cache.RemovedDir, Name: dir}, v.durability())
	if err != nil {
		return kept{}, err
	}
	for _, p := range v.store.PartsIn(dir) {
		err = errors.Join(err, v.store.DropPart(p.Name, p.Owner))
	}
	if err != nil {
		v.log.LogAttrs(ctx, slog.LevelWarn, "an unfinished upload could not be removed", slog.String("path", dir), slog.Any("error", err))
	}
	k := newKept(rec)
	if c != nil {
		k.old, k.free = []*change{c}, func() { v.unpin(c) }
	}
	return k, nil
}

// removedDirFirst waits until the directory that c removes is gone on the remote: until then no
// file can have its name.
func (v *Tree) removedDirFirst(ctx context.Context, c *change) error {
	v.mu.Lock()
	if !c.dead {
		v.queue.expedite(c)
		v.signal()
	}
	v.mu.Unlock()
	_, err := v.await(ctx, true, c)
	return err
}

// knownEmpty reports whether dir was empty when it was listed, or all its entries have been removed
// here.
func (v *Tree) knownEmpty(dir string) bool {
	listed, ok := v.names.Listed(dir)
	if !ok {
		return false
	}
	for e := range listed {
		if st, _ := v.look(remote.Join(dir, e.Name)); e.Part == "" && st != isDeleted {
			return false
		}
	}
	return true
}

// moveStored renames a file that is not pending, or whose rename is pending.
func (v *Tree) moveStored(ctx context.Context, from, to string) error {
	keep := func(ctx context.Context) (kept, error) { return v.keepMove(ctx, from, to) }
	if !v.canRecord() {
		return v.moveRemote(ctx, from, to)
	}
	return v.applyOrRecordOnce(ctx, lateChange{
		call: func(ctx context.Context) error { return v.moveRemote(ctx, from, to) }, keep: keep, long: true,
	}, from, to)
}

// keepMove makes the record of a rename of a known file.
func (v *Tree) keepMove(ctx context.Context, from, to string) (k kept, err error) {
	e, source, err := v.movable(from)
	if err != nil {
		return kept{}, err
	}
	if source == nil && v.doubts.mayTake(from) {
		return kept{}, errNotRecorded // and then there would be no copy left
	}
	if v.pending.keyOf(from) == v.pending.keyOf(to) {
		return kept{}, errNotRecorded
	}
	known, err := v.checkTarget(ctx, to)
	if err != nil {
		return kept{}, err
	}
	k.free = func() {}
	if source != nil { // the remote does not keep the directory of a file that it does not have yet
		if k.free, err = v.leaveFor(ctx, from, to); err != nil {
			return kept{}, err
		}
	}
	v.mu.Lock()
	old := v.pending.own(to)
	v.mu.Unlock()
	if old != nil {
		pinned, err := v.pin(ctx, old)
		switch {
		case err != nil:
			k.free()
			return kept{}, err
		case pinned:
			left := k.free
			k.old, k.free = []*change{old}, func() { v.unpin(old); left() }
		default:
			old = nil // it is on the remote now
		}
	}
	rec := cache.Record{Kind: cache.Moved, Name: to, Source: from, Size: e.Size, ModTime: e.ModTime, Removes: []string{from}}
	v.mu.Lock()
	if old != nil {
		rec.Removes = append(rec.Removes, v.pending.inherited(old)...)
	}
	rec.Base, rec.BaseVersion = v.baseAt(to, old, known)
	v.mu.Unlock()
	rec.Removes = slices.DeleteFunc(rec.Removes, func(name string) bool { return v.pending.keyOf(name) == v.pending.keyOf(to) })
	if rec, err = v.store.Add(ctx, rec, v.durability()); err != nil {
		k.free()
		return kept{}, err
	}
	k.change = newChange(rec, rec.Committed)
	k.change.mode, k.change.from = e.Mode, source
	return k, nil
}

// movable describes a file that can be renamed here. source is its pending change, nil if the file
// is on the remote.
func (v *Tree) movable(name string) (e remote.Entry, source *change, err error) {
	v.mu.Lock()
	st, c := v.pending.look(name)
	if st == isMoved {
		e = v.describe(name, st, c)
	}
	v.mu.Unlock()
	switch st {
	case isMoved:
		return e, c, nil
	case unknown:
		e, k := v.names.Recall(name)
		switch {
		case k == dircache.Missing:
			return e, nil, remote.ErrNotExist
		case k != dircache.Unknown && !e.Dir && e.Size >= 0:
			return e, nil, nil
		}
	}
	return e, nil, errNotRecorded
}
