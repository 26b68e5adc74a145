package s3

import (
	"cmp"
	"context"
	"maps"
	"time"

	"github.com/minio/minio-go/v7"

	"ferry/remote"
	"ferry/remote/driver/internal/objects"
)

// Copy implements objects.Store. The modification time is copied too, so that the object has to be
// looked at. It must be the one that was.
func (s service) Copy(ctx context.Context, from objects.Key, o objects.Object, to objects.Key) (string, error) {
	info, seen := o.Facts.(minio.ObjectInfo)
	if !seen {
		var err error
		if info, err = s.r.head(ctx, from); err != nil {
			return "", s.r.translate(err)
		}
		if o.Version != "" && o.Version != info.ETag {
			return "", remote.ErrChanged
		}
	} else if o.Version == "" && info.Size <= s.r.opt.CopyCutoff { // what is copied in parts must be of one version
		info.ETag = ""
	}
	made, err := s.r.copyObject(ctx, from, to, info, time.Time{})
	return made, s.r.translate(err)
}

// SetModTime implements objects.Store: the server copies the object onto itself, unless it has that
// time.
func (s service) SetModTime(ctx context.Context, at objects.Key, t time.Time) error {
	info, err := s.r.head(ctx, at)
	if err != nil {
		return s.r.translate(err)
	}
	if old, _ := modTime(info); old.Equal(t) {
		return nil
	}
	_, err = s.r.copyObject(ctx, at, at, info, t)
	return s.r.translate(err)
}

// copyObject lets the server copy an object with all that is known of it. Its modification time
// becomes t; that of the original, if t is zero. It returns the ETag of the copy.
func (r *Remote) copyObject(ctx context.Context, from, to place, info minio.ObjectInfo, t time.Time) (etag string, err error) {
	old, set := modTime(info)
	replace := !set || !t.IsZero()
	if t.IsZero() {
		t = old
	}
	if info.Size > r.opt.CopyCutoff {
		done, err := r.copyInParts(ctx, from, to, info, t)
		if err != nil {
			return "", err
		}
		etag = done.ETag
	} else {
		header := r.copyHeader(info)
		maps.Copy(header, r.copyFacts(to, info, t, replace))
		done, err := r.once.CopyObject(ctx, from.Bucket, from.Name, to.Bucket, to.Name, header, minio.CopySrcOptions{}, minio.PutObjectOptions{})
		if err != nil {
			return "", err
		}
		etag = done.ETag
	}
	r.rememberTime(to, etag, t)
	return etag, nil
}

// copyFacts are the headers that say what a copy is to be besides its content. The server copies
// what the original says of itself, unless that is to be replaced, and never the storage class.
func (r *Remote) copyFacts(to place, info minio.ObjectInfo, t time.Time, replace bool) map[string]string {
	header := map[string]string{}
	o := r.putOptions(to, time.Time{})
	if replace {
		header["x-amz-metadata-directive"] = "REPLACE"
		describeAs(&o, info)
		r.setTimeOf(&o, t)
	}
	o.StorageClass = cmp.Or(o.StorageClass, classOf(info))
	for k, v := range o.Header() {
		if replace || k != "Content-Type" {
			header[k] = v[0]
		}
	}
	return header
}

// copyInParts copies an object that is too long to be copied at once.
func (r *Remote) copyInParts(ctx context.Context, from, to place, info minio.ObjectInfo, t time.Time) (minio.UploadInfo, error) {
	o, err := r.keptOptions(ctx, to, from, info)
	if err != nil {
		return minio.UploadInfo{}, err
	}
	r.setTimeOf(&o, t)
	m := r.startMultipart(ctx, to, o, true, nil)
	err = m.copyFrom(from, info, info.Size)
	if err == nil {
		var done minio.UploadInfo
		if done, err = m.complete(ctx, info.Size); err == nil {
			return done, nil
		}
	}
	_ = m.abort() // what failed first is what matters
	return minio.UploadInfo{}, err
}
