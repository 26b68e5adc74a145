package s3

import (
	"context"
	"strconv"
	"time"

	"github.com/minio/minio-go/v7"

	"ferry/remote/driver/internal/objects"
)

// putOptions are those of a new object. Its content type is that of its name.
func (r *Remote) putOptions(at place, modTime time.Time) minio.PutObjectOptions {
	o := minio.PutObjectOptions{
		ContentType:          objects.ContentType(at.Name),
		UserMetadata:         map[string]string{},
		StorageClass:         r.opt.StorageClass,
		ServerSideEncryption: r.opt.sse,
	}
	if r.opt.ACL != "" {
		o.UserMetadata["x-amz-acl"] = r.opt.ACL
	}
	r.setTimeOf(&o, modTime)
	return o
}

// setTimeOf gives an object to be a modification time, unless that is zero.
func (r *Remote) setTimeOf(o *minio.PutObjectOptions, t time.Time) {
	if t.IsZero() {
		return
	}
	delete(o.UserMetadata, mtimeHeader)
	o.UserMetadata[mtimeKey] = formatTime(t)
	delete(o.UserMetadata, nativeHeader) // of an object that is continued
	if r.quirks.nativeTimes {
		o.UserMetadata[nativeKey] = strconv.FormatInt(t.UnixMilli(), 10)
	}
}

// keptOptions are those of an object at a place that continues the one from there, which info
// describes: its content type and what else it says of itself, its metadata and its storage
// class, unless there is an option for that. Its modification time is not among them. The tags
// cost a request where there are any.
func (r *Remote) keptOptions(ctx context.Context, at, from place, info minio.ObjectInfo) (minio.PutObjectOptions, error) {
	o := r.putOptions(at, time.Time{})
	describeAs(&o, info)
	if info.UserTagCount == 0 {
		return o, nil
	}
	tags, err := r.once.GetObjectTagging(ctx, from.Bucket, from.Name, minio.GetObjectTaggingOptions{})
	if err != nil {
		return o, err
	}
	o.UserTags = tags.ToMap()
	return o, nil
}

// describeAs gives an object to be what info, the answer to a HEAD, says of another one, but for
// tags and modification time.
func describeAs(o *minio.PutObjectOptions, info minio.ObjectInfo) {
	if kind := info.Metadata.Get("Content-Type"); kind != "" {
		o.ContentType = kind
	}
	o.ContentEncoding = info.Metadata.Get("Content-Encoding")
	o.ContentLanguage = info.Metadata.Get("Content-Language")
	o.ContentDisposition = info.Metadata.Get("Content-Disposition")
	o.CacheControl = info.Metadata.Get("Cache-Control")
	o.WebsiteRedirectLocation = info.Metadata.Get("X-Amz-Website-Redirect-Location")
	o.Expires = info.Expires
	if o.StorageClass == "" {
		o.StorageClass = classOf(info)
	}
	for k, v := range info.UserMetadata {
		if k != mtimeHeader {
			o.UserMetadata[k] = v
		}
	}
}

// classOf returns the storage class of an object, "" for the usual one.
func classOf(info minio.ObjectInfo) string {
	if class := info.Metadata.Get("X-Amz-Storage-Class"); class != "STANDARD" {
		return class
	}
	return ""
}
