package dircache

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"time"

	"ferry/remote"
)

// noting is a remote that is asked each time, and of which the Tree learns what is changed. An
// operation that fails may have been carried out, or not: what was known of its name is asked for
// again.
type noting struct {
	remote.Forward
	tree *Tree
}

// Put implements remote.Remote.
func (n noting) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (e remote.Entry, err error) {
	err = errPanic
	defer func() { n.stored(name, e, err) }()
	e, err = n.Forward.Put(ctx, name, body, o)
	return e, err
}

// errPanic is how an operation ended that did not return.
var errPanic = errors.New("panic")

// stored notes how an upload ended.
func (n noting) stored(name string, e remote.Entry, err error) {
	if err != nil {
		n.tree.Invalidate(name)
		return
	}
	n.tree.Stored(name, e)
}

// Remove implements remote.Remote.
func (n noting) Remove(ctx context.Context, name string) error {
	err := n.Forward.Remove(ctx, name)
	n.removed(name, err)
	return err
}

// RemoveVersion implements remote.VersionRemover.
func (n noting) RemoveVersion(ctx context.Context, name, version string) error {
	err := n.Forward.RemoveVersion(ctx, name, version)
	n.removed(name, err)
	return err
}

func (n noting) removed(name string, err error) {
	if err == nil || errors.Is(err, remote.ErrNotExist) {
		n.tree.removed(name)
		return
	}
	n.tree.Invalidate(name)
}

// Mkdir implements remote.Remote.
func (n noting) Mkdir(ctx context.Context, dir string) error {
	err := n.Forward.Mkdir(ctx, dir)
	if err != nil {
		n.tree.Invalidate(dir)
		return err
	}
	n.tree.madeDir(dir)
	return nil
}

// Rmdir implements remote.Remote.
func (n noting) Rmdir(ctx context.Context, dir string) error {
	err := n.Forward.Rmdir(ctx, dir)
	if err == nil || errors.Is(err, remote.ErrNotExist) {
		n.tree.removedDir(dir)
		return err
	}
	n.tree.Invalidate(dir)
	return err
}

// Move implements remote.Mover.
func (n noting) Move(ctx context.Context, from, to string) error {
	err := n.Forward.Move(ctx, from, to)
	switch {
	case errors.Is(err, remote.ErrUnsupported): // nothing has happened
	case err != nil:
		n.tree.Invalidate(from)
		n.tree.Invalidate(to)
	default:
		n.tree.Renamed(from, to)
	}
	return err
}

// Copy implements remote.Copier.
func (n noting) Copy(ctx context.Context, from, to string) error {
	err := n.Forward.Copy(ctx, from, to)
	if !errors.Is(err, remote.ErrUnsupported) {
		n.tree.Invalidate(to)
	}
	return err
}

// SetModTime implements remote.ModTimer.
func (n noting) SetModTime(ctx context.Context, name string, t time.Time) error {
	defer n.tree.Invalidate(name)
	return n.Forward.SetModTime(ctx, name, t)
}

// SetMode implements remote.Moder.
func (n noting) SetMode(ctx context.Context, name string, perm fs.FileMode) error {
	defer n.tree.Invalidate(name)
	return n.Forward.SetMode(ctx, name, perm)
}

// Stage implements remote.Stager.
func (n noting) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	s, err := n.Forward.Stage(ctx, name, o)
	if err != nil {
		return nil, err
	}
	noted := &stage{s, n, name}
	if from, ok := s.(io.ReaderFrom); ok {
		return &stageFrom{noted, from}, nil
	}
	return noted, nil
}

// stage is an upload under way.
type stage struct {
	remote.Stage
	noting noting
	name   string
}

// stageFrom is one that can receive without a copy.
type stageFrom struct {
	*stage
	io.ReaderFrom
}

// Commit implements remote.Stage.
func (s *stage) Commit(ctx context.Context, modTime time.Time) (remote.Entry, error) {
	e, err := s.Stage.Commit(ctx, modTime)
	if err != nil || e.Name != "" { // one that had ended before says nothing
		s.noting.stored(s.name, e, err)
	}
	return e, err
}

// Keep implements remote.Stage. What is kept appears in the listing.
func (s *stage) Keep() error {
	defer s.noting.tree.Invalidate(s.name)
	return s.Stage.Keep()
}
