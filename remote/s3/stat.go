package s3

import (
	"context"

	"github.com/minio/minio-go/v7"

	"ferry/remote"
)

// Stat implements remote.Remote. A file that was seen before costs one request, any other and a directory two.
func (r *Remote) Stat(ctx context.Context, name string) (remote.Entry, error) {
	at, err := r.begin(ctx, "stat", name)
	if err != nil {
		return remote.Entry{}, err
	}
	_, base := remote.Split(name)
	if !at.object() || at == r.root {
		return remote.Entry{Name: base, Dir: true}, r.explain(ctx, "stat", name, r.checkRoot(ctx, at))
	}
	info, err := r.head(ctx, at)
	if err == nil {
		hidden, err := r.hides(ctx, at, info)
		if hidden || err != nil {
			return remote.Entry{Name: base, Dir: true}, r.explain(ctx, "stat", name, err)
		}
		return r.entry(at, base, info), nil
	}
	if !isMissing(err) {
		return remote.Entry{}, r.explain(ctx, "stat", name, err)
	}
	return remote.Entry{Name: base, Dir: true}, r.explain(ctx, "stat", name, r.checkDir(ctx, at))
}

// entry returns what a HEAD or GET tells of the object at a place.
func (r *Remote) entry(at place, base string, info minio.ObjectInfo) remote.Entry {
	t, set := modTime(info)
	if r.opt.ServerModTime {
		t = uploadTime(info)
	} else if set {
		r.rememberTime(at, info.ETag, t)
	}
	return remote.Entry{Name: base, Size: info.Size, ModTime: t, Version: info.ETag, Digest: remote.NewDigest(remote.MD5, md5Of(info))}
}

// head asks for the object at a place.
func (r *Remote) head(ctx context.Context, at place) (minio.ObjectInfo, error) {
	return r.headBy(ctx, r.once, at)
}

func (r *Remote) headBy(ctx context.Context, c *minio.Core, at place) (minio.ObjectInfo, error) {
	return c.StatObject(ctx, at.bucket, at.key, minio.StatObjectOptions{ServerSideEncryption: r.opt.customer()})
}

// checkRoot returns an error unless the root or a bucket can be used as a directory. One that holds nothing yet can.
func (r *Remote) checkRoot(ctx context.Context, at place) error {
	empty, err := r.checkBucket(ctx, at)
	if err != nil || !empty || !at.object() {
		return err
	}
	if _, err := r.head(ctx, at); err == nil {
		return remote.ErrNotDir
	}
	return nil
}

// checkBucket returns an error unless the bucket can be listed, or, without one, the buckets; and whether nothing is
// below the place.
func (r *Remote) checkBucket(ctx context.Context, at place) (empty bool, err error) {
	if at.bucket == "" {
		buckets, err := r.once.ListBuckets(ctx)
		return len(buckets) == 0, err
	}
	for o := range r.once.ListObjectsIter(ctx, at.bucket, r.listOptions(at, 1)) {
		return false, o.Err
	}
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	return true, nil
}

// checkDir returns ErrNotExist unless something is in the directory at a place, or it was made by itself.
func (r *Remote) checkDir(ctx context.Context, at place) error {
	if !at.object() || at == r.root {
		_, err := r.checkBucket(ctx, at)
		return err
	}
	is, err := r.dirs.Is(ctx, at.name())
	if err == nil && !is {
		err = remote.ErrNotExist
	}
	return err
}

// hides reports whether a directory has the name of the object at a place.
func (r *Remote) hides(ctx context.Context, at place, info minio.ObjectInfo) (bool, error) {
	return r.dirs.Hides(ctx, at.name(), describeObject(at, info))
}

// isFile returns ErrIsDir if a directory has the name of the object at a place.
func (r *Remote) isFile(ctx context.Context, at place, info minio.ObjectInfo) error {
	hidden, err := r.hides(ctx, at, info)
	if err == nil && hidden {
		err = remote.ErrIsDir
	}
	return err
}
