package dircache

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"time"

	"ferry/remote"
)

// writeThrough is the uncached remote, whose changes are applied to the cache. A change that fails
// may have taken effect or not, so its name is invalidated.
type writeThrough struct {
	remote.Forward
	tree *Tree
}

// Put implements remote.Remote.
func (n writeThrough) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (e remote.Entry, err error) {
	err = errPanic
	defer func() { n.stored(name, e, err) }()
	e, err = n.Forward.Put(ctx, name, body, o)
	return e, err
}

// PutIf implements remote.ConditionalPutter.
func (n writeThrough) PutIf(
	ctx context.Context, name string, body io.Reader, version string, o remote.PutOptions,
) (e remote.Entry, err error) {
	err = errPanic
	defer func() { n.stored(name, e, err) }()
	e, err = n.Forward.PutIf(ctx, name, body, version, o)
	return e, err
}

// errPanic is the error of a call that panicked.
var errPanic = errors.New("panic")

// stored applies the result of an upload to the cache.
func (n writeThrough) stored(name string, e remote.Entry, err error) {
	if err != nil {
		n.tree.Invalidate(name)
		return
	}
	n.tree.Stored(name, e)
}

// Remove implements remote.Remote.
func (n writeThrough) Remove(ctx context.Context, name string) error {
	err := n.Forward.Remove(ctx, name)
	n.removed(name, err)
	return err
}

// RemoveVersion implements remote.VersionRemover.
func (n writeThrough) RemoveVersion(ctx context.Context, name, version string) error {
	err := n.Forward.RemoveVersion(ctx, name, version)
	n.removed(name, err)
	return err
}

func (n writeThrough) removed(name string, err error) {
	if err == nil || errors.Is(err, remote.ErrNotExist) {
		n.tree.removed(name)
		return
	}
	n.tree.Invalidate(name)
}

// Mkdir implements remote.Remote.
func (n writeThrough) Mkdir(ctx context.Context, dir string) error {
	err := n.Forward.Mkdir(ctx, dir)
	if err != nil {
		n.tree.Invalidate(dir)
		return err
	}
	n.tree.madeDir(dir)
	return nil
}

// Rmdir implements remote.Remote.
func (n writeThrough) Rmdir(ctx context.Context, dir string) error {
	err := n.Forward.Rmdir(ctx, dir)
	if err == nil || errors.Is(err, remote.ErrNotExist) {
		n.tree.removedDir(dir)
		return err
	}
	n.tree.Invalidate(dir)
	return err
}

// Move implements remote.Mover.
func (n writeThrough) Move(ctx context.Context, from, to string) error {
	err := n.Forward.Move(ctx, from, to)
	switch {
	case errors.Is(err, remote.ErrUnsupported): // nothing was changed
	case err != nil:
		n.tree.Invalidate(from)
		n.tree.Invalidate(to)
	default:
		n.tree.Renamed(from, to)
	}
	return err
}

// Copy implements remote.Copier.
func (n writeThrough) Copy(ctx context.Context, from, to string) error {
	err := n.Forward.Copy(ctx, from, to)
	if !errors.Is(err, remote.ErrUnsupported) {
		n.tree.Invalidate(to)
	}
	return err
}

// SetModTime implements remote.ModTimer.
func (n writeThrough) SetModTime(ctx context.Context, name string, t time.Time) error {
	defer n.tree.Invalidate(name)
	return n.Forward.SetModTime(ctx, name, t)
}

// SetMode implements remote.Moder.
func (n writeThrough) SetMode(ctx context.Context, name string, perm fs.FileMode) error {
	defer n.tree.Invalidate(name)
	return n.Forward.SetMode(ctx, name, perm)
}

// Stage implements remote.Stager.
func (n writeThrough) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	s, err := n.Forward.Stage(ctx, name, o)
	if err != nil {
		return nil, err
	}
	wrapped := &stage{s, n, name}
	if from, ok := s.(io.ReaderFrom); ok {
		return &stageFrom{wrapped, from}, nil
	}
	return wrapped, nil
}

// A stage is an upload in progress.
type stage struct {
	remote.Stage
	writeThrough writeThrough
	name         string
}

// A stageFrom is a stage that is an io.ReaderFrom.
type stageFrom struct {
	*stage
	io.ReaderFrom
}

// UnwrapStage implements remote.WrappedStage.
func (s *stage) UnwrapStage() remote.Stage { return s.Stage }

// Commit implements remote.Stage.
func (s *stage) Commit(ctx context.Context, modTime time.Time) (remote.Entry, error) {
	e, err := s.Stage.Commit(ctx, modTime)
	if err != nil || e.Name != "" { // a stage that had ended before returns no entry
		s.writeThrough.stored(s.name, e, err)
	}
	return e, err
}

// Keep implements remote.Stage. The part appears in the listing.
func (s *stage) Keep() error {
	defer s.writeThrough.tree.Invalidate(s.name)
	return s.Stage.Keep()
}
