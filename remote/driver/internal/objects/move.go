package objects

import (
	"context"
	"errors"
	"strings"

	"ferry/remote"
)

// moveRounds is how often a move begins anew because the file was replaced before it was copied.
const moveRounds = 5

// Move implements remote.Mover: the far side copies, then the original is removed, each on the
// precondition that it is the version that was looked at. What is stored under the old name once it
// was copied stays. A directory goes by moveAll.
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
	for round := 1; ; round++ {
		err := t.moveOnce(ctx, source, from, to, round < moveRounds)
		if !errors.Is(err, remote.ErrChanged) || round == moveRounds {
			return err
		}
	}
}

// moveOnce moves what it finds. If strict, it is remote.ErrChanged when a file was replaced before
// it was copied; else the newer one is copied, too, and stays.
func (t *Tree) moveOnce(ctx context.Context, source Key, from, to string, strict bool) error {
	o, isDir, err := t.find(ctx, source)
	switch {
	case err != nil:
		return fail(ctx, "move", from, err)
	case isDir:
		return fail(ctx, "move", from, t.moveDir(ctx, source, to, o))
	}
	return t.moveFile(ctx, source, o, from, to, strict)
}

// moveFile moves o, the object of source.
func (t *Tree) moveFile(ctx context.Context, source Key, o Object, from, to string, strict bool) error {
	target, err := t.target(ctx, "move", to)
	if err != nil || source == target {
		return err
	}
	if err := t.free(Insist(ctx), target); err != nil {
		return fail(ctx, "move", to, err)
	}
	o.Name = source.Name
	version := o.Version
	if !strict {
		o.Version = ""
	}
	if _, _, err := t.copyObject(ctx, source.Bucket, o, target); err != nil {
		return fail(ctx, "move", from, err)
	}
	t.dirs.Stored(target)
	done, err := t.dirs.Leave(ctx, source)
	if err != nil {
		return fail(ctx, "move", from, err)
	}
	defer done()
	err = t.store.Delete(ctx, source, version)
	if errors.Is(err, remote.ErrChanged) || errors.Is(err, remote.ErrNotExist) {
		return nil // a new file came after the rename, or somebody has removed the old one
	}
	return fail(ctx, "move", from, err)
}

// moveDir moves the directory source. o is an object of its name, if there is one.
func (t *Tree) moveDir(ctx context.Context, source Key, to string, o Object) (err error) {
	byName := o.Dir || o.Name != "" && o.Size == 0 // it stands for the directory
	target, err := t.key(ctx, "move", to)
	switch {
	case err != nil:
		return err
	case source == target:
		return nil
	case t.isBucket(target):
		return remote.ErrUnsupported
	case target.Bucket == source.Bucket && strings.HasPrefix(target.Prefix(), source.Prefix()):
		return remote.ErrInvalid
	}
	if _, err := t.stat(ctx, target, ""); err == nil {
		return remote.ErrExist
	} else if !errors.Is(err, remote.ErrNotExist) {
		return err
	}
	if err := t.dirs.Parents(ctx, target); err != nil {
		return err
	}
	done, err := t.dirs.Move(ctx, source, target)
	if err != nil {
		return err
	}
	defer func() { done(err) }()
	if o.Dir { // it may be all that there is of the directory
		if err := t.mark(ctx, t.inside(target)); err != nil {
			return err
		}
	}
	err = t.moveAll(ctx, t.inside(source), t.inside(target))
	if byName && err == nil {
		err = t.store.Delete(ctx, source, o.Version)
	}
	if o.Dir && err != nil && !errors.As(err, new(*remainsError)) {
		_ = t.store.Delete(context.WithoutCancel(ctx), t.inside(target), "") // a directory that is empty does no harm
	}
	return err
}
