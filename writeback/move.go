package writeback

import (
	"context"
	"errors"
	"slices"

	"ferry/cache"
	"ferry/remote"
)

// Move implements remote.Mover. A pending file is renamed locally. Anything else is renamed on the
// remote; pending changes at either name, or in a directory of that name, are sent first.
func (v *Tree) Move(ctx context.Context, from, to string) error {
	if err := v.check(ctx, "move", from); err != nil {
		return err
	}
	if err := v.checkNew(ctx, "move", to); err != nil {
		return err
	}
	return pathError("move", from, v.move(ctx, from, to))
}

func (v *Tree) move(ctx context.Context, from, to string) error {
	release, err := v.lock(ctx, from, to)
	if err != nil {
		return err
	}
	defer release()
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
	rec.Base, rec.BaseVersion = v.baseAt(to, old, known)
	rec.Removes = slices.DeleteFunc(rec.Removes, func(name string) bool {
		return v.pending.keyOf(name) == v.pending.keyOf(to)
	})
	slices.Sort(rec.Removes)
	rec.Removes = slices.Compact(rec.Removes)
	rec.FactsOf = v.pending.stillIts(c.factsOf, rec)
	v.mu.Unlock()

	rec, err := v.store.Update(ctx, rec, v.durability())
	if err != nil {
		return err
	}
	rec.Recovered = false // nothing was sent to the remote under this name
	next := newChange(rec, c.due)
	next.mode = known.entry.Mode
	v.mu.Lock()
	next.first = c.first
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

// moveRemote renames on the remote.
func (v *Tree) moveRemote(ctx context.Context, from, to string) error {
	if err := v.flushFirst(ctx, from, to); err != nil {
		return err
	}
	defer v.noteRemoteChange(from, to)
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

// Mkdir implements remote.Remote. If the remote cannot be reached, the new directory is pending.
func (v *Tree) Mkdir(ctx context.Context, dir string) error {
	if err := v.checkNew(ctx, "mkdir", dir); err != nil {
		return err
	}
	if err := v.mkdir(ctx, dir); err != nil {
		return pathError("mkdir", dir, err)
	}
	v.names.NotePending(dir)
	return nil
}

func (v *Tree) mkdir(ctx context.Context, dir string) error {
	release, err := v.lock(ctx, dir)
	if err != nil {
		return err
	}
	defer release()
	for {
		switch st, c := v.look(dir); {
		case st == isFile || st == isMoved || st == isDir:
			return remote.ErrExist
		case st == underFile:
			return remote.ErrNotDir
		case st == isDeleted && c != nil && c.rec.Kind == cache.RemovedDir:
			if made, err := v.remakeDir(ctx, c); made || err != nil {
				return err
			}
			continue
		case st == isDeleted:
			if err := v.flushFirst(ctx, dir); err != nil {
				return err
			}
		}
		return v.mkdirStored(ctx, dir)
	}
}

// mkdirStored makes a directory with no pending change of its name.
func (v *Tree) mkdirStored(ctx context.Context, dir string) error {
	keep := func(tried bool) func(context.Context) (kept, error) {
		return func(ctx context.Context) (kept, error) { return v.keepDir(ctx, dir, tried) }
	}
	switch {
	case v.inPendingDir(dir) || v.canRecord() && !v.breaker.Closed():
		return v.recordOnly(ctx, keep(false))
	case v.canRecord() && v.doubts.pause([]string{dir}) > 0:
		return v.recordOnly(ctx, keep(true))
	case !v.canRecord():
		return v.mkdirThere(ctx, dir)
	}
	call := func(ctx context.Context) error { return v.mkdirThere(ctx, dir) }
	return v.applyOrRecord(ctx, lateChange{call: call, keep: keep(true)})
}

// inPendingDir reports whether a directory above name is not on the remote yet.
func (v *Tree) inPendingDir(name string) bool {
	for dir, _ := remote.Split(name); dir != "."; dir, _ = remote.Split(dir) {
		if st, c := v.look(dir); st == isDir && c != nil {
			return true
		}
	}
	return false
}

func (v *Tree) mkdirThere(ctx context.Context, dir string) error {
	defer v.noteRemoteChange()
	if err := v.doubts.ask(ctx, func(ctx context.Context) error { return v.remote.Mkdir(ctx, dir) }, dir); err != nil {
		return err
	}
	v.dirs.add(v.pending.keyOf(dir))
	return nil
}

// Rmdir implements remote.Remote.
func (v *Tree) Rmdir(ctx context.Context, dir string) error {
	if err := v.check(ctx, "rmdir", dir); err != nil {
		return err
	}
	return pathError("rmdir", dir, v.rmdir(ctx, dir))
}

func (v *Tree) rmdir(ctx context.Context, dir string) error {
	release, err := v.lock(ctx, dir)
	if err != nil {
		return err
	}
	defer release()
	for dir != "." {
		v.mu.Lock()
		st, c := v.pending.look(dir)
		full := st == isDir && v.pending.find(dir).below > 0
		v.mu.Unlock()
		switch {
		case full:
			return remote.ErrNotEmpty
		case st == isFile || st == isMoved:
			return remote.ErrNotDir
		case st == isDeleted || st == underFile:
			return remote.ErrNotExist
		case st == isDir:
			if removed, err := v.rmdirPending(ctx, c); removed || err != nil {
				return err
			}
			continue
		}
		break
	}
	return v.rmdirStored(ctx, dir)
}

// rmdirPending removes a pending directory; it returns false if it is not pending any more.
func (v *Tree) rmdirPending(ctx context.Context, c *change) (bool, error) {
	left, err := v.leave(ctx, c.rec.Name)
	if err != nil {
		return false, err
	}
	defer left()
	if pinned, err := v.pin(ctx, c); !pinned {
		return false, err
	}
	v.mu.Lock()
	base, _ := c.base()
	v.mu.Unlock()
	if base != cache.BaseAbsent && v.canRecord() && !v.breaker.Closed() {
		k, err := v.keepDirRemoval(ctx, c.rec.Name, c)
		if err != nil {
			v.unpin(c)
			return false, err
		}
		v.enqueueRecord(k, nil)
		return true, nil
	}
	if base != cache.BaseAbsent {
		v.unpin(c)
		return false, v.flushFirst(ctx, c.rec.Name)
	}
	defer v.unpin(c)
	if err := v.store.Drop(c.rec.ID, v.durability()); err != nil {
		return false, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.retire(c)
	return true, nil
}

func (v *Tree) rmdirThere(ctx context.Context, dir string) error {
	if dir != "." {
		if err := v.flushFirst(ctx, dir); err != nil {
			return err
		}
	}
	defer v.noteRemoteChange(dir)
	if err := v.doubts.ask(ctx, func(ctx context.Context) error { return v.remote.Rmdir(ctx, dir) }, dir); err != nil {
		return err
	}
	v.supersedeLost(ctx, dir)
	v.dirs.drop(v.pending.keyOf(dir))
	var errs []error
	for _, p := range v.store.PartsIn(dir) {
		errs = append(errs, v.store.DropPart(p.Name, p.Owner))
	}
	return errors.Join(errs...)
}
