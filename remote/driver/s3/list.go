package s3

import (
	"context"
	"iter"
	"strings"

	"github.com/minio/minio-go/v7"

	"ferry/remote"
	"ferry/remote/driver/internal/objects"
)

// List implements remote.Remote: a request for each ListChunk entries, one or two more where there
// is none, and some for guesses where there are many.
func (r *Remote) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		at, err := r.begin(ctx, "list", dir)
		if err != nil {
			yield(remote.Entry{}, err)
			return
		}
		if at.bucket == "" {
			r.listBuckets(ctx, dir, yield)
			return
		}
		r.listDir(ctx, dir, at, yield)
	}
}

// listOptions are those of a listing of everything below the directory at a place, size entries at
// a time.
func (r *Remote) listOptions(at place, size int) minio.ListObjectsOptions {
	owners := false
	return minio.ListObjectsOptions{
		Prefix:     at.prefix(),
		Recursive:  true,
		MaxKeys:    size,
		FetchOwner: &owners,
		UseV1:      r.opt.ListVersion == 1 || r.opt.ListVersion == 0 && r.quirks.listV1,
	}
}

// listDir hands the entries to a sifter in the order of their keys.
func (r *Remote) listDir(ctx context.Context, dir string, at place, yield func(remote.Entry, error) bool) {
	o := r.listOptions(at, r.opt.ListChunk)
	o.Recursive = false
	o.WithMetadata = r.quirks.listMetadata
	sifter := r.dirs.Sift(at.name(), yield)
	exists, last := false, ""
	for object := range r.objects(ctx, at, o) {
		if object.Err != nil {
			yield(remote.Entry{}, r.explain(ctx, "list", dir, object.Err))
			return
		}
		if ctx.Err() != nil {
			break
		}
		exists = true
		elem, ok := strings.CutPrefix(object.Key, at.prefix())
		if ok && elem == "" {
			sifter.Marker()
		}
		// Some servers list the marker of a directory besides it, or in its place.
		if !ok || elem == "" || elem == last && strings.HasSuffix(elem, "/") {
			continue
		}
		last = elem
		if !r.sift(ctx, sifter, place{at.bucket, object.Key}, elem, object) {
			return
		}
	}
	if ctx.Err() != nil {
		yield(remote.Entry{}, fail("list", dir, context.Cause(ctx)))
		return
	}
	if !sifter.End(r.names.Name) || exists || at == r.root || !at.object() {
		return
	}
	if err := r.notDir(ctx, at); err != remote.ErrNotExist || !r.dirs.Keeps(at.name()) {
		yield(remote.Entry{}, r.explain(ctx, "list", dir, err))
	}
}

// sift hands the object at a place, or the directory, to the sifter. elem is the end of its key.
func (r *Remote) sift(ctx context.Context, sifter *objects.Sifter, at place, elem string, info minio.ObjectInfo) bool {
	raw := elem
	elem, isDir := strings.CutSuffix(elem, "/")
	name, ok := r.names.Name(elem)
	if !ok {
		objects.Omit(ctx, raw, info.Key)
	}
	if isDir {
		return sifter.Dir(ctx, elem, name, ok)
	}
	e := remote.Entry{Name: name, Size: info.Size, Version: info.ETag}
	e.ModTime = r.listedTime(at, info)
	return sifter.File(elem, objects.Object{Name: info.Key, Size: info.Size}, e, ok)
}

// notDir says why nothing is listed below a place.
func (r *Remote) notDir(ctx context.Context, at place) error {
	_, err := r.head(ctx, at)
	switch {
	case err == nil:
		return remote.ErrNotDir
	case isMissing(err):
		return remote.ErrNotExist
	}
	return err
}

func (r *Remote) listBuckets(ctx context.Context, dir string, yield func(remote.Entry, error) bool) {
	buckets, err := r.once.ListBuckets(ctx)
	if err != nil {
		yield(remote.Entry{}, r.explain(ctx, "list", dir, err))
		return
	}
	for _, b := range buckets {
		if ctx.Err() != nil {
			yield(remote.Entry{}, fail("list", dir, context.Cause(ctx)))
			return
		}
		if name, ok := r.names.Name(b.Name); ok && !yield(remote.Entry{Name: name, Dir: true}, nil) {
			return
		}
	}
}
