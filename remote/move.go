package remote

import (
	"context"
	"errors"
	"io/fs"
	"strings"
)

// Move renames from to to with the promises of Mover. If r cannot rename, a file is copied and the
// original removed, keeping its modification time if r can keep one; a directory is then
// ErrUnsupported. If the removal fails, both files exist and the error says so. When ctx ends after
// the copy was made, the original is still removed, as under Committed.
func Move(ctx context.Context, r Remote, from, to string) error {
	if m, ok := ability[Mover](r); ok {
		err := m.Move(ctx, from, to)
		if !errors.Is(err, ErrUnsupported) {
			return err
		}
	}
	e, err := r.Stat(ctx, from)
	if err != nil {
		return err
	}
	if from == to {
		return nil
	}
	if e.Dir || r.Info().Caps.CaseInsensitive && strings.EqualFold(from, to) {
		return unsupported("move", from)
	}
	committed, release := Committed(ctx)
	defer release()
	if err := Copy(ctx, r, from, to); err != nil {
		return err
	}
	err = RemoveVersion(committed, r, from, e)
	if errors.Is(err, ErrChanged) {
		return nil // the new file came after the rename
	}
	return err
}

// Copy makes to a file of the same content and modification time as from, replacing an old file
// like Put. If r cannot copy on its own side, the content is read and written back. A directory is
// ErrIsDir.
func Copy(ctx context.Context, r Remote, from, to string) error {
	e, err := r.Stat(ctx, from)
	if err != nil {
		return err
	}
	switch {
	case e.Dir:
		return &fs.PathError{Op: "copy", Path: from, Err: ErrIsDir}
	case from == to:
		return nil
	}
	if c, ok := ability[Copier](r); ok {
		committed, release := Committed(ctx)
		defer release()
		err := c.Copy(ctx, from, to)
		if err == nil {
			return keepModTime(committed, r, e, to)
		}
		if !errors.Is(err, ErrUnsupported) {
			return err
		}
	}
	return copyThrough(ctx, r, e, from, to)
}

// keepModTime gives a copy the modification time of its original e, if r can set one.
func keepModTime(ctx context.Context, r Remote, e Entry, name string) error {
	if e.ModTime.IsZero() {
		return nil
	}
	err := SetModTime(ctx, r, name, e.ModTime)
	if errors.Is(err, ErrUnsupported) {
		return nil
	}
	return err
}

// copyThrough copies by reading and writing.
func copyThrough(ctx context.Context, r Remote, e Entry, from, to string) error {
	body, err := r.Open(ctx, from, 0, -1)
	if err != nil {
		return err
	}
	defer body.Close()
	_, err = r.Put(ctx, to, ContextReader(ctx, body), PutOptions{Size: max(e.Size, 0), ModTime: e.ModTime})
	return err
}
