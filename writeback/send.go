package writeback

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"ferry/cache"
	"ferry/remote"
)

// sendFile stores the content of c.
func (v *Tree) sendFile(ctx context.Context, c *change, rec cache.Record) error {
	if c.sent || c.refusal != nil {
		return c.refusal
	}
	e, err := v.storeContent(ctx, c, rec)
	if err != nil {
		return err
	}
	v.dirs.above(v.pending.keyOf(rec.Name))
	v.mu.Lock()
	defer v.mu.Unlock()
	c.sent, c.sentTime, c.stored = true, rec.ModTime, e
	c.noteOwn()
	if c.factsOf != "" {
		c.factsOf = rec.Name
	}
	return nil
}

// storeContent stores the content of c, unless the remote has it.
func (v *Tree) storeContent(ctx context.Context, c *change, rec cache.Record) (remote.Entry, error) {
	put := func(only *string) (remote.Entry, error) {
		e, err := v.putContent(ctx, c, rec, only)
		if errors.Is(err, remote.ErrNotExist) && !v.caps.ImplicitDirs && v.makeParents(ctx, rec.Name) {
			e, err = v.putContent(ctx, c, rec, only)
		}
		return e, err
	}
	if v.conflict == KeepBoth {
		return v.putOver(ctx, c, rec, put)
	}
	e, there := v.checkBeforeSend(ctx, c, rec)
	if there {
		v.names.Stored(rec.Name, e)
		return e, nil
	}
	return put(nil)
}

// putContent is Put of the pending content, or with a version PutIf. A change of an earlier process
// may have been sent already: then the file that it was renamed from is gone, and its facts are
// those of its own name.
func (v *Tree) putContent(ctx context.Context, c *change, rec cache.Record, only *string) (remote.Entry, error) {
	v.mu.Lock()
	o := remote.PutOptions{Size: rec.Size, ModTime: rec.ModTime, FactsOf: c.factsOf}
	v.mu.Unlock()
	if rec.Recovered && o.FactsOf != "" && o.FactsOf != rec.Name {
		if _, err := v.remote.Stat(ctx, o.FactsOf); errors.Is(err, remote.ErrNotExist) {
			o.FactsOf = rec.Name
		}
	}
	content, err := v.store.OpenContent(rec.ID)
	if err != nil {
		return remote.Entry{}, &contentError{err}
	}
	defer content.Close()
	body := &contentReader{SectionReader: content.Section()}
	e, err := putSafely(ctx, v.remote, rec.Name, body, only, o)
	return e, body.failed(err)
}

// checkBeforeSend queries the file that is about to be replaced, if that matters. It reports
// whether it already has the content of rec, as when the process ended after sending it and before
// recording that. Only a checksum can prove this. A file that others stored meanwhile is logged.
func (v *Tree) checkBeforeSend(ctx context.Context, c *change, rec cache.Record) (remote.Entry, bool) {
	if c.tries > 0 || c.isApplied || !rec.Recovered && rec.BaseVersion == "" {
		return remote.Entry{}, false
	}
	e, err := v.remote.Stat(ctx, rec.Name)
	v.logProbeFailure(ctx, rec.Name, err)
	if err != nil || e.Dir || rec.BaseVersion != "" && e.Version == rec.BaseVersion {
		return e, false
	}
	sameSize := e.Size == rec.Size && v.sameTime(e, rec.ModTime)
	if rec.Recovered && sameSize {
		if same, known := v.hasContent(ctx, rec, e); same {
			return e, true
		} else if !known {
			return e, false // probably its own
		}
	}
	v.warnOfOverwrite(ctx, rec, e)
	return e, false
}

// warnOfOverwrite logs the version, stored by others, that is about to be replaced.
func (v *Tree) warnOfOverwrite(ctx context.Context, rec cache.Record, e remote.Entry) {
	if rec.BaseVersion == "" || e.Version == "" {
		return
	}
	v.log.LogAttrs(ctx, slog.LevelWarn, "a file was changed on the remote while a newer one waited here; it is replaced",
		slog.String("path", rec.Name), slog.String("version", e.Version), slog.Int64("size", e.Size), slog.Time("modified", e.ModTime))
}

// hasNewTime reports whether c is a file whose time is another one than it was sent with.
func (c *change) hasNewTime() bool {
	return c.rec.Kind == cache.File && !c.rec.ModTime.Equal(c.sentTime)
}

// sendTime sets the time of a sent file if it was changed meanwhile. If the remote cannot set it,
// the file stays as it was sent; if others have removed the file, it stays removed.
func (v *Tree) sendTime(ctx context.Context, c *change) error {
	v.mu.Lock()
	t := c.rec.ModTime
	v.mu.Unlock()
	err := remote.SetModTime(ctx, v.remote, c.rec.Name, t)
	if errors.Is(err, remote.ErrUnsupported) || errors.Is(err, remote.ErrInvalid) || errors.Is(err, remote.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	c.sentTime = t
	c.stored.ModTime, c.stored.Version = t, "" // on some remotes this is another version
	c.noteOwn()
	return nil
}

// removeOwn makes the removal c.
func (v *Tree) removeOwn(ctx context.Context, c *change, rec cache.Record) error {
	if v.conflict != KeepBoth {
		return v.removeOne(ctx, rec.Name)
	}
	v.mu.Lock()
	x := c.over
	v.mu.Unlock()
	return v.removeOver(ctx, rec.Name, x, rec.Committed)
}

// removeLeft removes a file that c has left under an older name.
func (v *Tree) removeLeft(ctx context.Context, c *change, rec cache.Record, name string) error {
	if v.conflict != KeepBoth {
		return v.removeOne(ctx, name)
	}
	v.mu.Lock()
	x := c.left[v.pending.keyOf(name)]
	x.own = append(slices.Clip(x.own), c.content()) // it may have been sent under that name
	v.mu.Unlock()
	return v.removeOver(ctx, name, x, rec.Committed)
}

// removeOne removes a file. A missing file is a success; a directory, or a name that the remote
// cannot hold, is not the file to remove, and counts as missing.
func (v *Tree) removeOne(ctx context.Context, name string) error {
	err := v.remote.Remove(ctx, name)
	if errors.Is(err, remote.ErrNotExist) {
		err = v.checkRoot(ctx, err)
	}
	if err == nil {
		return nil
	}
	v.names.Invalidate(name)
	if remote.RefusesObject(err) {
		return nil
	}
	return err
}

// makeDir creates a directory. An existing one is a success.
func (v *Tree) makeDir(ctx context.Context, dir string) error {
	err := v.remote.Mkdir(ctx, dir)
	if errors.Is(err, remote.ErrNotExist) && v.makeParents(ctx, dir) {
		err = v.remote.Mkdir(ctx, dir)
	}
	if errors.Is(err, remote.ErrExist) {
		e, statErr := v.remote.Stat(ctx, dir)
		if statErr != nil {
			return statErr
		}
		if e.Dir {
			err = nil
		}
	}
	return err
}

// makeParents creates the missing directories above name, and reports whether it created any.
func (v *Tree) makeParents(ctx context.Context, name string) bool {
	dir, _ := remote.Split(name)
	if dir == "." {
		return false
	}
	err := v.remote.Mkdir(ctx, dir)
	if errors.Is(err, remote.ErrNotExist) && v.makeParents(ctx, dir) {
		err = v.remote.Mkdir(ctx, dir)
	}
	if err != nil && !errors.Is(err, remote.ErrExist) {
		return false
	}
	return true
}

// removeDir removes a directory, unless it has new entries.
func (v *Tree) removeDir(ctx context.Context, dir string) error {
	err := v.remote.Rmdir(ctx, dir)
	switch {
	case err == nil, errors.Is(err, remote.ErrNotExist):
		v.noteRemoteChange(dir)
		v.dirs.drop(v.pending.keyOf(dir))
		return nil
	case errors.Is(err, remote.ErrNotEmpty):
		v.log.LogAttrs(ctx, slog.LevelWarn, "a directory that was removed here is not empty on the remote: it stays", slog.String("path", dir))
		fallthrough
	case errors.Is(err, remote.ErrNotDir):
		return nil
	}
	return err
}
