package writeback

import (
	"cmp"
	"context"
	"errors"
	"log/slog"

	"ferry/cache"
	"ferry/remote"
)

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
	err := v.rmdir(ctx, dir)
	if v.caps.ImplicitDirs && errors.Is(err, remote.ErrNotExist) {
		err = cmp.Or(v.dropParts(dir), err)
	}
	return pathError("rmdir", dir, err)
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
	if err := v.dropParts(dir); err != nil {
		v.log.LogAttrs(ctx, slog.LevelWarn, "an unfinished upload could not be removed", slog.String("path", dir), slog.Any("error", err))
	}
	k := newKept(rec)
	if c != nil {
		k.old, k.free = []*change{c}, func() { v.unpin(c) }
	}
	return k, nil
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
	return v.dropParts(dir)
}

// dropParts discards the unfinished uploads in dir, which is gone.
func (v *Tree) dropParts(dir string) error {
	var errs []error
	for _, p := range v.store.PartsIn(dir) {
		errs = append(errs, v.store.DropPart(p.Name, p.Owner))
	}
	return errors.Join(errs...)
}
