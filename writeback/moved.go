package writeback

import (
	"context"
	"errors"
	"log/slog"

	"ferry/cache"
	"ferry/remote"
)

// moveOne renames a file on the remote. A missing file was renamed by an earlier attempt, or is
// gone.
func (v *Tree) moveOne(ctx context.Context, c *change, rec cache.Record) error {
	if c.sent {
		return nil
	}
	if err := v.doubts.await(ctx, rec.Source, rec.Name); err != nil {
		return err
	}
	if v.conflict == KeepBoth {
		if err := v.clearTarget(ctx, c, rec); err != nil {
			return err
		}
	}
	err := remote.Move(ctx, v.remote, rec.Source, rec.Name)
	if errors.Is(err, remote.ErrNotExist) {
		if err = v.moveMissing(ctx, rec, err); err == nil {
			v.names.Renamed(rec.Source, rec.Name)
		}
	}
	if err != nil {
		return err
	}
	v.noteRemoteChange(rec.Source, rec.Name)
	v.mu.Lock()
	defer v.mu.Unlock()
	c.sent = true
	return nil
}

// moveMissing finds out what is missing: the directory of the new name, which it creates, or the
// file.
func (v *Tree) moveMissing(ctx context.Context, rec cache.Record, missing error) error {
	_, err := v.remote.Stat(ctx, rec.Source)
	switch {
	case err == nil && (v.caps.ImplicitDirs || !v.makeParents(ctx, rec.Name)):
		return missing
	case err == nil:
		return remote.Move(ctx, v.remote, rec.Source, rec.Name)
	case !errors.Is(err, remote.ErrNotExist) && !errors.Is(err, remote.ErrNotDir):
		return err
	}
	there, err := v.remote.Stat(ctx, rec.Name)
	if (err != nil || there.Size != rec.Size || !v.sameTime(there, rec.ModTime)) && v.moveStray(ctx, rec) {
		v.copyMoved(rec.Source, rec.Name)
		return nil
	}
	if err != nil && !errors.Is(err, remote.ErrNotExist) && !errors.Is(err, remote.ErrNotDir) {
		return err
	}
	if err != nil || there.Size != rec.Size {
		v.log.LogAttrs(ctx, slog.LevelWarn, "a file that was to be renamed is not on the remote any more",
			slog.String("path", rec.Source), slog.String("to", rec.Name))
	}
	v.copyMoved(rec.Source, rec.Name)
	return nil
}

// moveStray renames a file that a rename in doubt has moved: that rename was not answered, took
// effect late, and the client has renamed the file again since. It reports whether it found such a
// file.
func (v *Tree) moveStray(ctx context.Context, rec cache.Record) bool {
	for _, name := range v.doubts.otherNames(rec.Source) {
		if st, _ := v.look(name); st != unknown || v.pending.keyOf(name) == v.pending.keyOf(rec.Name) {
			continue
		}
		e, err := v.remote.Stat(ctx, name)
		if err != nil || e.Dir || e.Size != rec.Size || !v.sameTime(e, rec.ModTime) {
			continue
		}
		if err := remote.Move(ctx, v.remote, name, rec.Name); err == nil {
			v.noteRemoteChange(name)
			v.logUndone(ctx, name)
			return true
		}
	}
	return false
}

// copyMoved moves the cached copy of a file that an earlier attempt renamed on the remote. If that
// fails, the file is fetched again when it is read.
func (v *Tree) copyMoved(from, to string) {
	if v.mode == Full {
		_ = v.store.MoveCopy(from, to)
	}
}
