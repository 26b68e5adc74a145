package s3

import (
	"bytes"
	"context"
	"iter"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"ferry/remote"
	"ferry/remote/driver/internal/objects"
)

// moveDir moves a directory, object by object. hidden is an object of its name, if there is one.
func (r *Remote) moveDir(ctx context.Context, source, target place, hidden minio.ObjectInfo) error {
	switch {
	case source == target:
		return nil
	case !target.object():
		return remote.ErrUnsupported // a directory does not become a bucket
	case target.bucket == source.bucket && strings.HasPrefix(target.prefix(), source.prefix()):
		return remote.ErrInvalid
	case target == r.root:
		return remote.ErrExist
	}
	if is, err := r.dirs.Is(ctx, target.name()); err != nil {
		return err
	} else if is {
		return remote.ErrExist
	}
	if _, err := r.head(ctx, target); !isMissing(err) {
		if err == nil {
			err = remote.ErrExist
		}
		return err
	}
	if err := r.dirs.Parents(ctx, target.name()); err != nil {
		return err
	}
	done, err := r.dirs.Move(ctx, source.name(), target.name())
	if err != nil {
		return err
	}
	err = objects.MoveDir(ctx, shelf{r}, objects.Key{Bucket: source.bucket, Name: source.prefix()},
		objects.Key{Bucket: target.bucket, Name: target.prefix()}, r.opt.DirMoveLimit)
	if err == nil && hidden.Key != "" && hidden.Size == 0 { // it stood for the directory
		err = r.removeVersion(ctx, source, hidden.ETag)
	}
	done(err)
	return err
}

// A shelf is a Remote as objects.MoveDir sees it.
type shelf struct{ r *Remote }

// All implements objects.Shelf.
func (s shelf) All(ctx context.Context, k objects.Key) iter.Seq2[objects.Object, error] {
	return func(yield func(objects.Object, error) bool) {
		at := placeOf(k.Dir())
		for o := range s.r.once.ListObjectsIter(ctx, at.bucket, s.r.listOptions(at, s.r.opt.ListChunk)) {
			if o.Err != nil {
				yield(objects.Object{}, s.r.translate(o.Err))
				return
			}
			if !yield(objects.Object{Name: o.Key, Size: o.Size, ModTime: o.LastModified, Version: o.ETag}, nil) {
				return
			}
		}
		if ctx.Err() != nil {
			yield(objects.Object{}, context.Cause(ctx))
		}
	}
}

// CopyObject implements objects.Shelf. Its time is copied, too, for which the object has to be
// looked at. What stands for an empty directory is made anew, as servers that keep files do not
// copy it.
func (s shelf) CopyObject(ctx context.Context, bucket string, o objects.Object, to objects.Key) (objects.Copied, error) {
	if strings.HasSuffix(o.Name, "/") && o.Size == 0 {
		err := s.r.putMarker(ctx, placeOf(to.Dir()))
		return objects.Copied{}, s.r.translate(err)
	}
	from := place{bucket, o.Name}
	info, err := s.r.head(ctx, from)
	if err != nil {
		return objects.Copied{}, s.r.translate(err)
	}
	made, err := s.r.copyObject(ctx, from, place{to.Bucket, to.Name}, info, time.Time{})
	return objects.Copied{From: info.ETag, To: made}, s.r.translate(err)
}

// Delete implements objects.Shelf.
func (s shelf) Delete(ctx context.Context, k objects.Key, version string) error {
	return s.r.translate(s.r.removeVersion(ctx, place{k.Bucket, k.Name}, version))
}

// putMarker stores the object that stands for an empty directory.
func (r *Remote) putMarker(ctx context.Context, dir place) error {
	md5sum, sha256sum := r.digests(nil)
	o := r.putOptions(place{dir.bucket, dir.prefix()}, time.Time{})
	o.DisableContentSha256 = true
	_, err := r.once.PutObject(ctx, dir.bucket, dir.prefix(), bytes.NewReader(nil), 0, md5sum, sha256sum, o)
	return err
}
