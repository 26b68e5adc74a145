package s3

import (
	"context"
	"strings"

	"github.com/minio/minio-go/v7"

	"ferry/remote"
)

// Remove implements remote.Remote. The server would not say that there is no such object, so it is asked before.
func (r *Remote) Remove(ctx context.Context, name string) error {
	at, err := r.begin(ctx, "remove", name)
	if err != nil {
		return err
	}
	if !at.object() || at == r.root {
		return fail("remove", name, remote.ErrIsDir)
	}
	_, err = r.head(ctx, at)
	if isMissing(err) {
		err = r.notFile(ctx, at)
	}
	if err == nil {
		err = r.once.RemoveObject(ctx, at.bucket, at.key, minio.RemoveObjectOptions{})
	}
	return r.explain(ctx, "remove", name, err)
}

// RemoveVersion implements remote.VersionRemover. It looks as Remove does, and sends the precondition besides.
func (r *Remote) RemoveVersion(ctx context.Context, name, version string) error {
	at, err := r.begin(ctx, "remove", name)
	if err != nil {
		return err
	}
	if !at.object() || at == r.root {
		return fail("remove", name, remote.ErrIsDir)
	}
	err = r.compare(ctx, at, version)
	if isMissing(err) {
		err = r.notFile(ctx, at)
	} else if err == nil {
		err = r.removeOn(ctx, at, version)
	}
	return r.explain(ctx, "remove", name, err)
}

// Mkdir implements remote.Remote.
func (r *Remote) Mkdir(ctx context.Context, dir string) error {
	at, err := r.begin(ctx, "mkdir", dir)
	switch {
	case err != nil:
		return err
	case dir == ".":
		err = remote.ErrExist
	case !at.object():
		err = r.makeBucket(ctx, at.bucket)
	default:
		err = r.makeDir(ctx, at)
	}
	return r.explain(ctx, "mkdir", dir, err)
}

func (r *Remote) makeBucket(ctx context.Context, bucket string) error {
	ok, err := r.once.BucketExists(ctx, bucket)
	if err != nil {
		return err
	}
	if ok {
		return remote.ErrExist
	}
	region := r.opt.LocationConstraint
	if region == "" {
		region = r.opt.Region
	}
	return r.once.MakeBucket(ctx, bucket, minio.MakeBucketOptions{Region: region})
}

// makeDir stores the object that stands for an empty directory.
func (r *Remote) makeDir(ctx context.Context, at place) error {
	err := r.checkNoDir(ctx, r.once, at)
	if err == remote.ErrIsDir {
		return remote.ErrExist
	}
	if err != nil {
		return err
	}
	if _, err := r.head(ctx, at); !isMissing(err) {
		if err == nil {
			err = remote.ErrExist
		}
		return err
	}
	if r.opt.NoMarkers {
		return nil
	}
	if err := r.putMarker(ctx, at); err != nil {
		return err
	}
	r.dirs.set(at, struct{}{})
	r.rememberParents(at)
	return nil
}

// Rmdir implements remote.Remote.
func (r *Remote) Rmdir(ctx context.Context, dir string) error {
	at, err := r.begin(ctx, "rmdir", dir)
	switch {
	case err != nil:
		return err
	case dir == ".":
		err = remote.ErrPermission
	case !at.object():
		err = r.once.RemoveBucket(ctx, at.bucket)
	default:
		err = r.removeDir(ctx, at)
	}
	return r.explain(ctx, "rmdir", dir, err)
}

// removeDir removes the object that stands for a directory, if there is no other in it.
func (r *Remote) removeDir(ctx context.Context, at place) error {
	marker := false
	for o := range r.once.ListObjectsIter(ctx, at.bucket, r.listOptions(at, 2)) {
		if o.Err != nil {
			return o.Err
		}
		if o.Key != at.prefix() && strings.HasPrefix(o.Key, at.prefix()) {
			return remote.ErrNotEmpty
		}
		marker = true
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if !marker {
		return r.notDir(ctx, at)
	}
	if err := r.once.RemoveObject(ctx, at.bucket, at.prefix(), minio.RemoveObjectOptions{}); err != nil {
		return err
	}
	r.dirs.drop(at)
	return nil
}
