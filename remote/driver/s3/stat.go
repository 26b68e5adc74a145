package s3

import (
	"context"
	"net/http"

	"github.com/minio/minio-go/v7"

	"ferry/remote"
	"ferry/remote/driver/internal/objects"
)

// Stat implements remote.Remote. A file that was seen before costs one request, any other and a
// directory two at a time.
func (r *Remote) Stat(ctx context.Context, name string) (remote.Entry, error) {
	at, err := r.begin(ctx, "stat", name)
	if err != nil {
		return remote.Entry{}, err
	}
	_, base := remote.Split(name)
	if !at.object() || at == r.root {
		return remote.Entry{Name: base, Dir: true}, r.explain(ctx, "stat", name, r.checkRoot(ctx, at))
	}
	info, isDir, err := r.lookAt(ctx, at)
	switch {
	case err != nil:
		return remote.Entry{}, r.explain(ctx, "stat", name, err)
	case isDir:
		return remote.Entry{Name: base, Dir: true}, nil
	}
	return r.entry(at, base, info), nil
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
	if !at.name().HasObject() {
		return minio.ObjectInfo{}, minio.ErrorResponse{Code: "NoSuchKey", StatusCode: http.StatusNotFound}
	}
	return c.StatObject(ctx, at.bucket, at.key, minio.StatObjectOptions{ServerSideEncryption: r.opt.customer()})
}

// checkRoot returns an error unless the root or a bucket can be used as a directory. One that holds
// nothing yet can.
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

// checkBucket returns an error unless the bucket can be listed, or, without one, the buckets; and
// whether nothing is below the place.
func (r *Remote) checkBucket(ctx context.Context, at place) (empty bool, err error) {
	if at.bucket == "" {
		buckets, err := r.once.ListBuckets(ctx)
		return len(buckets) == 0, err
	}
	return r.dirs.Empty(ctx, at.name())
}

// checkDir returns ErrNotExist unless something is in the directory at a place, or it was made by
// itself.
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

// lookAt describes the object at a place, or reports that there is a directory; then info is that
// of the object that it hides, if there is one.
func (r *Remote) lookAt(ctx context.Context, at place) (info minio.ObjectInfo, isDir bool, err error) {
	q := r.dirs.Ask(ctx, at.name())
	defer q.Drop()
	info, err = r.head(ctx, at)
	switch {
	case err == nil:
		isDir, err = q.Hides(ctx, describeObject(at, info))
	case isMissing(err):
		isDir, err = isOrMissing(ctx, q)
		info = minio.ObjectInfo{}
	}
	return info, isDir, err
}

// isOrMissing is Is of q, with ErrNotExist for what is no directory.
func isOrMissing(ctx context.Context, q *objects.Question) (bool, error) {
	isDir, err := q.Is(ctx)
	if err == nil && !isDir {
		err = remote.ErrNotExist
	}
	return isDir, err
}

// headFile describes the object at a place. A directory is ErrIsDir.
func (r *Remote) headFile(ctx context.Context, at place) (minio.ObjectInfo, error) {
	info, isDir, err := r.lookAt(ctx, at)
	if err == nil && isDir {
		err = remote.ErrIsDir
	}
	return info, err
}
