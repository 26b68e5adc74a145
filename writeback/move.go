package writeback

import (
	"context"
	"errors"
	"slices"

	"ferry/cache"
	"ferry/dircache"
	"ferry/remote"
)

// Move implements remote.Mover. A pending file is renamed locally. Anything else is renamed on the
// remote; pending changes at either name, or in a directory of that name, are sent first.
func (v *Tree) Move(ctx context.Context, from, to string) error {
	return v.moveTo(ctx, from, to, false)
}

// MoveNew is Move to a name that there must not be, else it is ErrExist.
func (v *Tree) MoveNew(ctx context.Context, from, to string) error {
	return v.moveTo(ctx, from, to, true)
}

func (v *Tree) moveTo(ctx context.Context, from, to string, fresh bool) error {
	if err := v.check(ctx, "move", from); err != nil {
		return err
	}
	if err := v.checkNew(ctx, "move", to); err != nil {
		return err
	}
	return pathError("move", from, v.move(ctx, from, to, fresh))
}

func (v *Tree) move(ctx context.Context, from, to string, fresh bool) error {
	release, err := v.lock(ctx, from, to)
	if err != nil {
		return err
	}
	defer release()
	if fresh && v.pending.keyOf(from) != v.pending.keyOf(to) {
		if err := v.absent(ctx, to); err != nil {
			return err
		}
	}
	for {
		switch st, c := v.look(from); st {
		case isDeleted, underFile:
			return remote.ErrNotExist
		case isFile:
			if moved, err := v.movePending(ctx, c, to); moved || err != nil {
				return err
			}
		default:
			return v.moveStored(ctx, from, to)
		}
	}
}

// movePending renames a pending file; it returns false if the file is not pending any more.
func (v *Tree) movePending(ctx context.Context, c *change, to string) (bool, error) {
	if c.rec.Name == to {
		return true, nil
	}
	known, err := v.knownTarget(ctx, c, to)
	if err != nil {
		return false, err
	}
	left, err := v.leaveFor(ctx, c.rec.Name, to)
	if err != nil {
		return false, err
	}
	defer left()
	if pinned, err := v.pin(ctx, c); !pinned {
		return false, err
	}
	defer v.unpin(c)
	v.mu.Lock()
	old := v.pending.newest(to)
	v.mu.Unlock()
	if old != nil && (old == c || v.pending.keyOf(old.rec.Name) != v.pending.keyOf(to)) {
		old = nil // it is c itself, or a file that was renamed away from there
	}
	if old != nil {
		if pinned, err := v.pin(ctx, old); !pinned {
			return false, err
		}
		defer v.unpin(old)
	}
	return true, v.rename(ctx, c, old, to, known)
}

// knownTarget is checkTarget for a pending file: the file itself has any name that differs only in
// case.
func (v *Tree) knownTarget(ctx context.Context, c *change, to string) (baseState, error) {
	if v.pending.keyOf(c.rec.Name) == v.pending.keyOf(to) {
		return baseState{}, nil
	}
	return v.checkTarget(ctx, to)
}

// rename makes one record that supersedes the file c and old, the pending change of its new name,
// if there is one. Both are pinned.
func (v *Tree) rename(ctx context.Context, c, old *change, to string, known baseState) error {
	baseTo, versionTo, err := v.baseNow(ctx, to, old, known)
	if err != nil {
		return err
	}
	v.mu.Lock()
	rec := c.rec
	rec.Name, rec.Recovered = to, false
	rec.Removes = v.pending.inherited(c)
	if base, _ := c.base(); base != cache.BaseAbsent {
		rec.Removes = append(rec.Removes, c.rec.Name)
	}
	if old != nil {
		rec.Removes = append(rec.Removes, v.pending.inherited(old)...)
	}
	rec.Base, rec.BaseVersion = baseTo, versionTo
	rec.Removes = slices.DeleteFunc(rec.Removes, func(name string) bool {
		return v.pending.keyOf(name) == v.pending.keyOf(to)
	})
	slices.Sort(rec.Removes)
	rec.Removes = slices.Compact(rec.Removes)
	rec.FactsOf = v.pending.stillIts(c.factsOf, rec)
	rec.Origin = renamedOrigin(c.rec)
	rec.Sent = v.sentBefore(rec, nil, c, old)
	v.mu.Unlock()

	if rec, err = v.store.Update(ctx, rec, v.durability()); err != nil {
		return err
	}
	rec.Recovered = false // nothing was sent to the remote under this name
	next := newChange(rec, c.due)
	next.mode = known.entry.Mode
	v.mu.Lock()
	next.first, next.told = c.first, c.told
	if old == nil {
		v.replace(next, c)
	} else {
		v.replace(next, c, old)
	}
	v.mu.Unlock()
	if old != nil {
		v.dropOld(next, old)
	}
	return nil
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
	if rec.Base, rec.BaseVersion, err = v.baseNow(ctx, to, old, known); err != nil {
		k.free()
		return kept{}, err
	}
	v.mu.Lock()
	if old != nil {
		rec.Removes = append(rec.Removes, v.pending.inherited(old)...)
	}
	rec.Removes = slices.DeleteFunc(rec.Removes, func(name string) bool { return v.pending.keyOf(name) == v.pending.keyOf(to) })
	left := v.leftByMove(from, source, e)
	rec.Sent = v.sentBefore(rec, left, old)
	v.mu.Unlock()
	if rec, err = v.store.Add(ctx, rec, v.durability()); err != nil {
		k.free()
		return kept{}, err
	}
	k.change = newChange(rec, rec.Committed)
	k.change.mode, k.change.from, k.change.left = e.Mode, source, left
	return k, nil
}

// leftByMove returns what may be under the name of the file e until it is renamed. source is the
// pending rename to that name, nil if there is none.
// LOCKS_REQUIRED(v.mu)
func (v *Tree) leftByMove(from string, source *change, e remote.Entry) map[string]expectation {
	var x expectation
	if source != nil {
		x = source.over.with(source.content())
	} else if e.Version != "" {
		x = expectation{base: cache.BasePresent, version: e.Version}
	}
	return map[string]expectation{v.pending.keyOf(from): x}
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

// moveRemote renames on the remote.
func (v *Tree) moveRemote(ctx context.Context, from, to string) error {
	if err := v.flushFirst(ctx, from, to); err != nil {
		return err
	}
	defer v.noteRemoteChange(from, to)
	if err := v.doubts.await(ctx, from, to); err != nil {
		return err
	}
	v.tell.settleNow(ctx, from, to)
	err := v.doubts.ask(ctx, func(ctx context.Context) error { return remote.Move(ctx, v.remote, from, to) }, from, to)
	if errors.Is(err, remote.ErrNotExist) && len(v.refusedBelow(from)) > 0 {
		err = nil // nothing of it ever reached the remote
	}
	if err != nil {
		return err
	}
	if from == to {
		return nil
	}
	v.moveRefused(ctx, from, to)
	v.supersedeLost(ctx, from, to)
	v.dirs.drop(v.pending.keyOf(from))
	return v.watchRemoved(ctx, from)
}
