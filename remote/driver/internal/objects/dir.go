package objects

import (
	"context"
	"errors"
	"strings"

	"ferry/remote"
)

// Mkdir implements remote.Remote. A directory at the top of a tree of buckets is a bucket.
func (t *Tree) Mkdir(ctx context.Context, dir string) error {
	k, err := t.key(ctx, "mkdir", dir)
	if err != nil {
		return err
	}
	return fail(ctx, "mkdir", dir, t.mkdir(ctx, k))
}

func (t *Tree) mkdir(ctx context.Context, k Key) error {
	switch {
	case t.isRoot(k):
		return remote.ErrExist
	case t.isBucket(k):
		return t.buckets.MakeBucket(ctx, k.Bucket)
	}
	if _, err := t.stat(ctx, k, ""); err == nil {
		return remote.ErrExist
	} else if !errors.Is(err, remote.ErrNotExist) {
		return err
	}
	if err := t.dirs.Parents(ctx, k); err != nil {
		return err
	}
	if err := t.mark(ctx, t.inside(k)); err != nil {
		return err
	}
	t.dirs.Made(k)
	return nil
}

// Rmdir implements remote.Remote: it removes the marker, and what else stands for the directory.
// Where a directory hides a file of its name, that is seen again.
func (t *Tree) Rmdir(ctx context.Context, dir string) error {
	k, err := t.key(ctx, "rmdir", dir)
	if err != nil {
		return err
	}
	return fail(ctx, "rmdir", dir, t.rmdir(ctx, k))
}

func (t *Tree) rmdir(ctx context.Context, k Key) error {
	switch {
	case t.isRoot(k):
		return remote.ErrPermission
	case t.isBucket(k):
		return t.removeBucket(ctx, k)
	}
	doomed, err := t.doomed(ctx, k)
	if errors.Is(err, remote.ErrNotExist) {
		t.dropPartsIn(ctx, k)
	}
	if err != nil {
		return err
	}
	done, err := t.dirs.Leave(ctx, k)
	if err != nil {
		return err
	}
	defer done()
	for _, d := range doomed {
		if err := t.store.Delete(ctx, d, ""); err != nil && !errors.Is(err, remote.ErrNotExist) {
			return err
		}
	}
	t.dirs.Removed(k)
	t.dropPartsIn(ctx, k)
	return nil
}

// removeBucket removes a bucket with nothing in it but what is kept of unfinished uploads.
func (t *Tree) removeBucket(ctx context.Context, k Key) error {
	err := t.buckets.RemoveBucket(ctx, k.Bucket)
	if !errors.Is(err, remote.ErrNotEmpty) || t.keeper == nil {
		return err
	}
	if names, _, someErr := t.some(ctx, k, 1); someErr != nil || len(names) > 0 {
		return err
	}
	for o, err := range t.store.All(ctx, t.partsRoot(k.Bucket)) {
		slot := Key{k.Bucket, o.Name}
		if err == nil && strings.HasSuffix(o.Name, manifestSuffix) {
			err = t.DropKept(ctx, slot)
		}
		if err == nil {
			err = t.store.Delete(ctx, slot, "")
		}
		if err != nil && !errors.Is(err, remote.ErrNotExist) {
			return err
		}
	}
	return t.buckets.RemoveBucket(ctx, k.Bucket)
}

// doomed returns what is to be deleted with the directory k. It is empty for one that is only kept
// in mind.
func (t *Tree) doomed(ctx context.Context, k Key) ([]Key, error) {
	inside := t.inside(k)
	doomed := []Key{}
	for o, err := range t.children(ctx, inside, 0) {
		if err != nil {
			return nil, err
		}
		base := strings.TrimPrefix(o.Name, inside.Name)
		switch {
		case base != "" && !t.hides(base):
			return nil, t.whyFull(ctx, inside)
		case base == "" && o.Size > 0:
			return nil, &MarkerError{o.Size}
		}
		doomed = append(doomed, Key{Bucket: k.Bucket, Name: o.Name})
	}
	o, err := t.store.Head(ctx, k)
	switch {
	case err == nil && (o.Dir || o.Size == 0 && len(doomed) > 0):
		doomed = append(doomed, k)
	case err == nil && len(doomed) == 0:
		return nil, remote.ErrNotDir
	case err != nil && !errors.Is(err, remote.ErrNotExist):
		return nil, err
	}
	if len(t.dirs.KeptIn(k)) > 0 {
		return nil, remote.ErrNotEmpty
	}
	if len(doomed) == 0 && !t.dirs.Keeps(k) {
		return nil, remote.ErrNotExist
	}
	return doomed, nil
}
