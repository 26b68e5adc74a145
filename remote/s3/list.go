package s3

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/minio/minio-go/v7"

	"ferry/remote"
)

// List implements remote.Remote: a request for each ListChunk entries, one or two more where there is none, and some for
// guesses where there are many.
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

// listOptions are those of a listing of everything below the directory at a place, size entries at a time.
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

func (r *Remote) listDir(ctx context.Context, dir string, at place, yield func(remote.Entry, error) bool) {
	o := r.listOptions(at, r.opt.ListChunk)
	o.Recursive = false
	o.WithMetadata = r.quirks.listMetadata
	prefix, exists := at.prefix(), false
	var seen page
	for object := range r.objects(ctx, at, o) {
		if object.Err != nil {
			yield(remote.Entry{}, r.explain(ctx, "list", dir, object.Err))
			return
		}
		if ctx.Err() != nil {
			break
		}
		exists = true
		elem, ok := strings.CutPrefix(object.Key, prefix)
		if !ok || elem == "" { // the directory itself
			continue
		}
		elem, isDir := strings.CutSuffix(elem, "/")
		isMarker := isDir && object.ETag != "" // some servers list it besides the directory, or in its place
		name, ok := r.entryName(elem)
		if !ok || !seen.add(elem, isDir, isMarker) {
			continue
		}
		e := remote.Entry{Name: name, Dir: true}
		if isDir {
			r.dirs.set(place{at.bucket, prefix + elem}, struct{}{})
		} else {
			e = remote.Entry{Name: name, Size: object.Size, Version: object.ETag}
			e.ModTime = r.listedTime(place{at.bucket, object.Key}, object)
		}
		if !yield(e, nil) {
			return
		}
	}
	if ctx.Err() != nil {
		yield(remote.Entry{}, fail("list", dir, context.Cause(ctx)))
		return
	}
	if !exists && at != r.root && at.object() {
		yield(remote.Entry{}, r.explain(ctx, "list", dir, r.notDir(ctx, at)))
	}
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
		if name, ok := r.entryName(b.Name); ok && !yield(remote.Entry{Name: name, Dir: true}, nil) {
			return
		}
	}
}

// A page tells whether an entry was there before: there may be an object "a" and others that begin with "a/". Stat finds
// the file, so List leaves the directory out. Keys come in order, the objects of a page before its directories; between
// "a" and "a/" come only keys that begin with "a", so that few files of former pages have to be kept.
type page struct {
	files   []string // sorted
	markers []string // directories of which the object is in this page; sorted
	closed  bool     // its directories have begun
}

// add reports whether the entry is to be listed.
func (p *page) add(elem string, isDir, isMarker bool) bool {
	if p.closed && (!isDir || isMarker) { // the next page begins
		p.files = slices.DeleteFunc(p.files, func(f string) bool { return !strings.HasPrefix(elem, f) })
		p.markers, p.closed = nil, false
	}
	if !isDir {
		p.files = append(p.files, elem)
		return true
	}
	_, isFile := slices.BinarySearch(p.files, elem)
	if isMarker {
		p.markers = append(p.markers, elem)
		return !isFile
	}
	p.closed = true
	_, marked := slices.BinarySearch(p.markers, elem)
	return !isFile && !marked
}
