package s3

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"iter"
	"strings"

	"github.com/minio/minio-go/v7"

	"ferry/remote"
	"ferry/remote/driver/internal/objects"
)

// A service is a Remote as the store of its objects.Tree.
type service struct{ r *Remote }

// Head implements objects.Store.
func (s service) Head(ctx context.Context, k objects.Key) (objects.Object, error) {
	info, err := s.r.headBy(ctx, s.r.asking(ctx), k)
	if err != nil {
		return objects.Object{}, s.r.failed(ctx, err)
	}
	o := s.r.describe(k, info)
	o.Facts = info
	return o, nil
}

// describe returns what a HEAD or GET tells of the object at a place.
func (r *Remote) describe(at place, info minio.ObjectInfo) objects.Object {
	t, set := modTime(info)
	if r.opt.ServerModTime {
		t = uploadTime(info)
	} else if set {
		r.rememberTime(at, info.ETag, t)
	}
	return objects.Object{
		Name: at.Name, Size: info.Size, ModTime: t, TimeKept: true, Version: info.ETag,
		Digest: remote.NewDigest(remote.MD5, r.md5Of(info)),
	}
}

// listOptions are those of a listing of all that begins with prefix, size entries at a time.
func (r *Remote) listOptions(prefix string, size int) minio.ListObjectsOptions {
	owners := false
	return minio.ListObjectsOptions{
		Prefix:     prefix,
		Recursive:  true,
		MaxKeys:    size,
		FetchOwner: &owners,
		UseV1:      r.opt.ListVersion == 1 || r.opt.ListVersion == 0 && r.quirks.listV1,
	}
}

// All implements objects.Store.
func (s service) All(ctx context.Context, k objects.Key) iter.Seq2[objects.Object, error] {
	return func(yield func(objects.Object, error) bool) {
		for o := range s.r.once.ListObjectsIter(ctx, k.Bucket, s.r.listOptions(k.Name, s.r.opt.ListChunk)) {
			if o.Err != nil {
				yield(objects.Object{}, s.r.translate(o.Err))
				return
			}
			marker := strings.HasSuffix(o.Key, "/") && o.Size == 0 // servers that keep files do not copy it
			if !yield(objects.Object{
				Name: o.Key, Size: o.Size, ModTime: o.LastModified, TimeKept: true, Version: o.ETag, Dir: marker,
			}, nil) {
				return
			}
		}
		if ctx.Err() != nil {
			yield(objects.Object{}, context.Cause(ctx))
		}
	}
}

// Children implements objects.Lister: a request for each page, and some for guesses where there are
// many.
func (s service) Children(ctx context.Context, k objects.Key, limit int) iter.Seq2[objects.Object, error] {
	return func(yield func(objects.Object, error) bool) {
		size := s.r.opt.ListChunk
		if limit > 0 {
			size = min(limit, size)
		}
		o := s.r.listOptions(k.Name, size)
		o.Recursive = false
		list := s.r.inOrder
		if limit == 0 {
			o.WithMetadata = s.r.quirks.listMetadata
			list = s.r.ordered
		}
		for info := range list(ctx, k.Bucket, o) {
			if info.Err != nil {
				yield(objects.Object{}, s.r.failed(ctx, info.Err))
				return
			}
			at := place{Bucket: k.Bucket, Name: info.Key}
			if !yield(objects.Object{Name: info.Key, Size: info.Size, ModTime: s.r.listedTime(at, info), Version: info.ETag}, nil) {
				return
			}
		}
		if ctx.Err() != nil {
			yield(objects.Object{}, context.Cause(ctx))
		}
	}
}

// Delete implements objects.Store.
func (s service) Delete(ctx context.Context, k objects.Key, version string) error {
	return s.r.translate(s.r.removeVersion(ctx, k, version))
}

// DeleteSeen implements objects.SeenDeleter: the server would not say that there is no such object.
func (s service) DeleteSeen(ctx context.Context, k objects.Key, version string) error {
	return s.r.translate(s.r.removeOn(ctx, k, version))
}

// PageBuckets implements objects.Buckets.
func (s service) PageBuckets(ctx context.Context, _ string) (objects.Page, error) {
	buckets, err := s.r.once.ListBuckets(ctx)
	if err != nil {
		return objects.Page{}, s.r.translate(err)
	}
	var p objects.Page
	for _, b := range buckets {
		p.Objects = append(p.Objects, objects.Object{Name: b.Name, Dir: true})
	}
	return p, nil
}

// MakeBucket implements objects.Buckets.
func (s service) MakeBucket(ctx context.Context, bucket string) error {
	ok, err := s.r.once.BucketExists(ctx, bucket)
	if err != nil {
		return s.r.translate(err)
	}
	if ok {
		return remote.ErrExist
	}
	region := s.r.opt.LocationConstraint
	if region == "" {
		region = s.r.opt.Region
	}
	return s.r.translate(s.r.once.MakeBucket(ctx, bucket, minio.MakeBucketOptions{Region: region}))
}

// RemoveBucket implements objects.Buckets.
func (s service) RemoveBucket(ctx context.Context, bucket string) error {
	return s.r.translate(s.r.once.RemoveBucket(ctx, bucket))
}

// md5Header is where rclone keeps the MD5 sum of an object that was stored in parts, in base64.
const md5Header = "Md5chksum"

// Hash implements objects.Store: the server knows the MD5 sum of what was stored in one piece.
func (s service) Hash(ctx context.Context, k objects.Key, _ string) ([]byte, error) {
	info, err := s.r.head(ctx, k)
	if err != nil {
		return nil, s.r.translate(err)
	}
	if sum := s.r.md5Of(info); sum != nil {
		return sum, nil
	}
	return nil, remote.ErrUnsupported
}

// md5Of returns what is known of an object's MD5 sum. An ETag is one only where nothing is
// encrypted with a key that the server does not hold by itself.
func (r *Remote) md5Of(info minio.ObjectInfo) []byte {
	if sum, err := base64.StdEncoding.DecodeString(info.UserMetadata[md5Header]); err == nil && len(sum) == md5.Size {
		return sum
	}
	h := info.Headers
	if r.quirks.otherETags {
		return nil
	}
	if sse := h.Get("X-Amz-Server-Side-Encryption"); sse != "" && sse != "AES256" ||
		h.Get("X-Amz-Server-Side-Encryption-Customer-Algorithm") != "" {
		return nil
	}
	if sum, err := hex.DecodeString(info.ETag); err == nil && len(sum) == md5.Size {
		return sum
	}
	return nil
}
