package objects

import (
	"context"
	"errors"
	"strings"

	"ferry/remote"
	"ferry/remote/partname"
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
	return t.mark(ctx, t.inside(k))
}

// Rmdir implements remote.Remote: it removes the marker. A directory that is there by its files alone is never empty.
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
		return t.buckets.RemoveBucket(ctx, k.Bucket)
	}
	inside := t.inside(k)
	doomed := []Key{}
	for p, err := range t.pages(ctx, inside, 0) {
		if err != nil {
			return err
		}
		for _, o := range p.Objects {
			if base := strings.TrimPrefix(o.Name, inside.Name); base != "" && !partname.Hidden(base) {
				return remote.ErrNotEmpty
			}
			doomed = append(doomed, Key{Bucket: k.Bucket, Name: o.Name})
		}
		for _, prefix := range p.Prefixes {
			if prefix != inside.Name {
				return remote.ErrNotEmpty
			}
		}
	}
	o, err := t.store.Head(ctx, k)
	switch {
	case err == nil && o.Dir:
		doomed = append(doomed, k)
	case err == nil && len(doomed) == 0:
		return remote.ErrNotDir
	case err != nil && !errors.Is(err, remote.ErrNotExist):
		return err
	}
	if len(doomed) == 0 {
		return remote.ErrNotExist
	}
	for _, d := range doomed {
		if err := t.store.Delete(ctx, d, ""); err != nil && !errors.Is(err, remote.ErrNotExist) {
			return err
		}
	}
	return nil
}
