package s3

import (
	"context"

	"github.com/minio/minio-go/v7"

	"ferry/remote"
)

// Remove implements remote.Remote. The server would not say that there is no such object, so it is
// asked before.
func (r *Remote) Remove(ctx context.Context, name string) error {
	at, err := r.begin(ctx, "remove", name)
	if err != nil {
		return err
	}
	if !at.object() || at == r.root {
		return fail("remove", name, remote.ErrIsDir)
	}
	_, err = r.headFile(ctx, at)
	if err == nil {
		err = r.leave(ctx, at, func() error {
			return r.once.RemoveObject(ctx, at.bucket, at.key, minio.RemoveObjectOptions{})
		})
	}
	return r.explain(ctx, "remove", name, err)
}

// RemoveVersion implements remote.VersionRemover. It looks as Remove does, and sends the
// precondition besides.
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
		if err = r.dirs.NotKnownDir(ctx, at.name()); err == nil {
			err = r.leave(ctx, at, func() error { return r.removeOn(ctx, at, version) })
		}
	}
	return r.explain(ctx, "remove", name, err)
}

// leave removes the object at a place by remove. Its directory stays.
func (r *Remote) leave(ctx context.Context, at place, remove func() error) error {
	done, err := r.dirs.Leave(ctx, at.name())
	if err != nil {
		return err
	}
	defer done()
	return remove()
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
