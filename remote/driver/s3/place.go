package s3

import (
	"fmt"
	"strings"

	"github.com/minio/minio-go/v7/pkg/s3utils"

	"ferry/remote"
	"ferry/remote/driver/internal/objects"
)

// maxKey is the longest key in bytes.
const maxKey = 1024

// A place is where something is: without a name it is a bucket, without a bucket all of them.
type place = objects.Key

// rootPlace reads the path of a remote.
func (o *Options) rootPlace(path string) (place, error) {
	path = strings.Trim(path, "/")
	if path == "" {
		return place{}, nil
	}
	if !remote.ValidPath(path) || path == "." {
		return place{}, fmt.Errorf("s3: the path %q is no bucket and no directory in one: write bucket or bucket/directory", path)
	}
	bucket, dir, _ := strings.Cut(path, "/")
	if err := s3utils.CheckValidBucketName(bucket); err != nil {
		return place{}, fmt.Errorf("s3: %q is no name of a bucket: %w: correct the path of the remote", bucket, err)
	}
	return place{Bucket: bucket, Name: o.Encoding.EncodePath(dir)}, nil
}

// holds reports whether the far side can hold what is at a place.
func (r *Remote) holds(at place) bool {
	if len(at.Prefix()) > maxKey || at.Name != "" && strings.TrimSpace(at.Name) == "" {
		return false
	}
	if r.root.Bucket == "" && s3utils.CheckValidBucketName(at.Bucket) != nil {
		return false
	}
	if r.opt.MaxName > 0 {
		for elem := range strings.SplitSeq(at.Name, "/") {
			if len(elem) > r.opt.MaxName {
				return false
			}
		}
	}
	return true
}
