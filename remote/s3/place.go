package s3

import (
	"fmt"
	"strings"

	"github.com/minio/minio-go/v7/pkg/s3utils"

	"ferry/remote"
	"ferry/remote/objects"
)

// maxKey is the longest key in bytes.
const maxKey = 1024

// A place is where something is in the far side's terms. Without a key it is a bucket, without a bucket all of them.
type place struct{ bucket, key string }

// object reports whether there can be an object.
func (p place) object() bool { return p.key != "" }

// prefix returns what the keys of everything in the directory p begin with.
func (p place) prefix() string {
	if p.key == "" {
		return ""
	}
	return p.key + "/"
}

// name returns p as objects.Dirs knows it.
func (p place) name() objects.Key { return objects.Key{Bucket: p.bucket, Name: p.key} }

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
	return place{bucket, o.Encoding.EncodePath(dir)}, nil
}

// locate returns the place of name.
func (r *Remote) locate(name string) place {
	if name == "." {
		return r.root
	}
	enc := r.opt.Encoding
	if r.root.bucket == "" {
		bucket, rest, _ := strings.Cut(name, "/")
		return place{enc.Encode(bucket), enc.EncodePath(rest)}
	}
	return place{r.root.bucket, r.root.prefix() + enc.EncodePath(name)}
}

// holds returns ErrBadName if the far side cannot hold name.
func (r *Remote) holds(name string, at place) error {
	if len(at.key)+len("/") > maxKey || at.object() && strings.TrimSpace(at.key) == "" {
		return remote.ErrBadName
	}
	if r.root.bucket == "" && at.bucket != "" && s3utils.CheckValidBucketName(at.bucket) != nil {
		return remote.ErrBadName
	}
	if r.opt.MaxName > 0 {
		for elem := range strings.SplitSeq(at.key, "/") {
			if len(elem) > r.opt.MaxName {
				return remote.ErrBadName
			}
		}
	}
	return nil
}

// entryName returns the name of the entry whose key is prefix and elem. Keys that no name leads to have none: those with
// an empty element, or with one that is . or .. in its plain form.
func (r *Remote) entryName(elem string) (string, bool) {
	name := r.opt.Encoding.Decode(elem)
	return name, remote.ValidName(name) && remote.ValidName(elem) && r.opt.Encoding.Encode(name) == elem
}
