package objects

import (
	"context"
	"errors"
	"iter"
	"strings"
	"time"

	"ferry/remote"
)

// Move implements remote.Mover: the far side copies, then the original is removed. A directory goes by MoveDir.
func (t *Tree) Move(ctx context.Context, from, to string) error {
	source, err := t.key(ctx, "move", from)
	if err != nil {
		return err
	}
	if _, err := t.key(ctx, "move", to); err != nil {
		return err
	}
	if t.isRoot(source) || t.isBucket(source) {
		return fail(ctx, "move", from, remote.ErrUnsupported)
	}
	o, err := t.store.Head(ctx, source)
	switch {
	case err == nil && !o.Dir:
		return t.moveFile(ctx, source, o, from, to)
	case err == nil:
		return fail(ctx, "move", from, t.moveDir(ctx, source, to, true))
	case errors.Is(err, remote.ErrNotExist):
		if err = t.checkDir(ctx, source); err == nil {
			err = t.moveDir(ctx, source, to, false)
		}
	}
	return fail(ctx, "move", from, err)
}

// moveFile moves o, the object of source.
func (t *Tree) moveFile(ctx context.Context, source Key, o Object, from, to string) error {
	target, err := t.target(ctx, "move", to)
	if err != nil || source == target {
		return err
	}
	if err := t.notDir(ctx, target); err != nil {
		return fail(ctx, "move", to, err)
	}
	o.Name = source.Name
	if err := (shelf{t}).CopyObject(ctx, source.Bucket, o, target); err != nil {
		return fail(ctx, "move", from, err)
	}
	return fail(ctx, "move", from, t.store.Delete(ctx, source))
}

// moveDir moves the directory source, which has an object of its own name where byName.
func (t *Tree) moveDir(ctx context.Context, source Key, to string, byName bool) error {
	target, err := t.key(ctx, "move", to)
	switch {
	case err != nil:
		return err
	case source == target:
		return nil
	case t.isBucket(target):
		return remote.ErrUnsupported
	case target.Bucket == source.Bucket && strings.HasPrefix(target.Name, source.Name+"/"):
		return remote.ErrInvalid
	}
	if _, err := t.stat(ctx, target, ""); err == nil {
		return remote.ErrExist
	} else if !errors.Is(err, remote.ErrNotExist) {
		return err
	}
	if byName { // it may be all that there is of the directory
		if err := t.mark(ctx, t.inside(target)); err != nil {
			return err
		}
	}
	err = MoveDir(ctx, shelf{t}, t.inside(source), t.inside(target), t.config.DirMoveLimit)
	if byName && err == nil {
		err = t.store.Delete(ctx, source)
	}
	if byName && err != nil && !errors.As(err, new(*remainsError)) {
		_ = t.store.Delete(context.WithoutCancel(ctx), t.inside(target)) // a directory that is empty does no harm
	}
	return err
}

// A shelf is a Tree as MoveDir sees it.
type shelf struct{ *Tree }

// All implements Shelf.
func (s shelf) All(ctx context.Context, k Key) iter.Seq2[Object, error] { return s.store.All(ctx, k) }

// CopyObject implements Shelf. What stands for a directory by a convention of the service becomes one of ours: it may not
// be possible to copy it.
func (s shelf) CopyObject(ctx context.Context, bucket string, o Object, to Key) error {
	if o.Dir {
		return s.mark(ctx, to)
	}
	s.watch.stored(to)
	if err := s.store.Copy(ctx, Key{bucket, o.Name}, to); err != nil {
		return err
	}
	if o.TimeKept || o.ModTime.IsZero() || strings.HasSuffix(to.Name, "/") {
		return nil
	}
	return s.store.SetModTime(ctx, to, o.ModTime)
}

// Delete implements Shelf.
func (s shelf) Delete(ctx context.Context, k Key) error { return s.store.Delete(ctx, k) }

// mark stores a marker, unless there are to be none.
func (t *Tree) mark(ctx context.Context, k Key) error {
	if t.config.NoMarkers {
		return nil
	}
	d, err := t.store.Create(ctx, k, CreateOptions{})
	if err != nil {
		return err
	}
	defer d.Abort()
	t.watch.stored(k)
	_, err = d.Commit(ctx, time.Time{})
	return err
}
