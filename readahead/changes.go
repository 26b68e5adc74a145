package readahead

import (
	"context"
	"errors"
	"iter"

	"ferry/remote"
)

// The copy of a file follows renames and removals. A copy that stayed under the old name, or that
// went to a file of another content, only takes space: readers find that it is of another version.

// Move implements remote.Mover.
func (t *Tree) Move(ctx context.Context, from, to string) error {
	err := t.Forward.Move(ctx, from, to)
	if err == nil {
		t.moved(from, to)
	}
	return err
}

// Copy implements remote.Copier. Files are renamed by it where Move is not possible, so the copy
// goes to the new name.
func (t *Tree) Copy(ctx context.Context, from, to string) error {
	err := t.Forward.Copy(ctx, from, to)
	if err == nil {
		t.moved(from, to)
	}
	return err
}

// Remove implements remote.Remote.
func (t *Tree) Remove(ctx context.Context, name string) error {
	err := t.Forward.Remove(ctx, name)
	t.removed(name, err)
	return err
}

// RemoveVersion implements remote.VersionRemover.
func (t *Tree) RemoveVersion(ctx context.Context, name, version string) error {
	err := t.Forward.RemoveVersion(ctx, name, version)
	t.removed(name, err)
	return err
}

func (t *Tree) moved(from, to string) {
	if t.opt.Store != nil {
		_ = t.opt.Store.MoveCopy(from, to) // on failure it is fetched again
	}
}

func (t *Tree) removed(name string, err error) {
	if t.opt.Store != nil && (err == nil || errors.Is(err, remote.ErrNotExist)) {
		_ = t.opt.Store.Forget(name)
	}
}

// Direct returns a remote that uses the cache for contents only. Changes made through it are made
// through the Tree.
func (t *Tree) Direct() remote.Remote { return direct{t} }

type direct struct{ *Tree }

// Stat implements remote.Remote.
func (d direct) Stat(ctx context.Context, name string) (remote.Entry, error) {
	return d.direct.Stat(ctx, name)
}

// List implements remote.Remote.
func (d direct) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return d.direct.List(ctx, dir)
}
