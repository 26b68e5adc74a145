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

// A place is where something is in the far side's terms. Without a key it is a bucket, without a
// bucket all of them.
type place struct{ bucket, key string }

// object reports whether it is no bucket. There may be no object nevertheless: see
// objects.Key.HasObject.
func (p place) object() bool { return p.key != "" }

// prefix returns what the keys of everything in the directory p begin with.
func (p place) prefix() string { return p.name().Prefix() }

// name returns p as objects.Dirs knows it.
func (p place) name() objects.Key { return objects.Key{Bucket: p.bucket, Name: p.key} }

func placeOf(k objects.Key) place { return place{k.Bucket, k.Name} }

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
func (r *Remote) locate(name string) (place, error) {
	if name == "." {
		return r.root, nil
	}
	if r.root.bucket != "" {
		path, err := r.names.Path(name)
		return place{r.root.bucket, r.root.prefix() + path}, err
	}
	bucket, rest, inside := strings.Cut(name, "/")
	at := place{bucket: r.opt.Encoding.Encode(bucket)}
	if !inside {
		return at, nil
	}
	var err error
	at.key, err = r.names.Path(rest)
	return at, err
}

// holds returns ErrBadName if the far side cannot hold what is at a place.
func (r *Remote) holds(at place) error {
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
