package writeback

import (
	"context"
	"errors"

	"ferry/cache"
	"ferry/remote"
)

// Remove implements remote.Remote.
func (v *Tree) Remove(ctx context.Context, name string) error {
	if err := v.check(ctx, "remove", name); err != nil {
		return err
	}
	return pathError("remove", name, v.remove(ctx, name))
}

func (v *Tree) remove(ctx context.Context, name string) error {
	release, err := v.lock(ctx, name)
	if err != nil {
		return err
	}
	defer release()
	for {
		switch st, c := v.look(name); st {
		case isDir:
			return remote.ErrIsDir
		case isDeleted, underFile:
			return remote.ErrNotExist
		case unknown:
			return v.removeStored(ctx, name)
		case isFile, isMoved:
			if removed, err := v.removePending(ctx, c); removed || err != nil {
				return err
			}
		}
	}
}

// removePending removes a pending file; it returns false if the file is not pending any more. If
// nothing of it ever reached the remote, nothing is left to be done there.
func (v *Tree) removePending(ctx context.Context, c *change) (bool, error) {
	left, err := v.leave(ctx, c.rec.Name)
	if err != nil {
		return false, err
	}
	defer left()
	if pinned, err := v.pin(ctx, c); !pinned {
		return false, err
	}
	defer v.unpin(c)
	v.mu.Lock()
	base, version := v.baseOf(c)
	names := v.pending.inherited(c)
	v.mu.Unlock()
	if base == cache.BaseAbsent && len(names) == 0 {
		if err := v.dropStale(c); err != nil {
			return false, err
		}
		if err := v.store.Drop(c.rec.ID, v.durability()); err != nil {
			return false, err
		}
		v.mu.Lock()
		defer v.mu.Unlock()
		v.retire(c)
		return true, nil
	}
	// The removal is recorded even if there is nothing to remove: if the old record cannot be
	// dropped, the next process must find a newer one of the name.
	rec := cache.Record{Kind: cache.Removed, Name: c.rec.Name, Removes: names, Base: base, BaseVersion: version}
	v.mu.Lock()
	rec.Sent = v.sentBefore(rec, nil, c)
	v.mu.Unlock()
	rec, err = v.store.Add(ctx, rec, v.durability())
	if err != nil {
		return false, err
	}
	next := newChange(rec, v.dueNow())
	v.mu.Lock()
	v.replace(next, c)
	v.mu.Unlock()
	v.dropOld(next, c)
	return true, nil
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
	removed := cache.Record{Kind: cache.Removed, Name: name}
	if err == nil {
		removed.Base, removed.BaseVersion = cache.BasePresent, e.Version
	}
	rec, err := v.store.Add(ctx, removed, v.durability())
	return newKept(rec), err
}

func (v *Tree) removeThere(ctx context.Context, name string) error {
	v.tell.settleNow(ctx, name)
	err := v.doubts.ask(ctx, func(ctx context.Context) error { return v.remote.Remove(ctx, name) }, name)
	if err == nil || errors.Is(err, remote.ErrNotExist) {
		v.supersedeLost(ctx, name)
	}
	v.noteRemoteChange(name)
	return err
}
