package s3

import (
	"context"
	"strings"

	"github.com/minio/minio-go/v7"

	"ferry/remote"
	"ferry/remote/driver/internal/objects"
)

// An asker is a Remote as objects.Dirs asks it.
type asker struct{ r *Remote }

// File implements objects.Asker.
func (a asker) File(ctx context.Context, k objects.Key) (objects.Object, error) {
	at := place{k.Bucket, k.Name}
	info, err := a.r.headBy(ctx, a.r.asking(ctx), at)
	if err != nil {
		return objects.Object{}, a.failed(ctx, err)
	}
	return describeObject(at, info), nil
}

// describeObject is what objects.Dirs knows of an object.
func describeObject(at place, info minio.ObjectInfo) objects.Object {
	return objects.Object{Name: at.key, Size: info.Size, ModTime: info.LastModified, Version: info.ETag}
}

// Some implements objects.Asker: one request.
func (a asker) Some(ctx context.Context, dir objects.Key, limit int) (names []string, whole bool, err error) {
	at := place{dir.Bucket, dir.Name}
	o := a.r.listOptions(at, min(limit, a.r.opt.ListChunk))
	o.Recursive = false
	for object := range a.r.asking(ctx).ListObjectsIter(ctx, at.bucket, o) {
		if object.Err != nil {
			return nil, false, a.failed(ctx, object.Err)
		}
		if name, ok := strings.CutPrefix(object.Key, at.prefix()); ok {
			names = append(names, name)
		}
		if len(names) == o.MaxKeys {
			return names, false, nil
		}
	}
	if ctx.Err() != nil {
		return nil, false, context.Cause(ctx)
	}
	return names, true, nil
}

// Mark implements objects.Asker.
func (a asker) Mark(ctx context.Context, dir objects.Key) error {
	return a.r.translate(a.r.putMarker(ctx, place{dir.Bucket, dir.Name}))
}

// againKey is that of true in the values of a context under which questions are asked again and
// again.
type againKey struct{}

// asking returns the client for questions.
func (r *Remote) asking(ctx context.Context) *minio.Core {
	if isAgain(ctx) {
		return r.again
	}
	return r.once
}

func isAgain(ctx context.Context) bool {
	again, _ := ctx.Value(againKey{}).(bool)
	return again
}

// failed is translate of an error that a question gave.
func (a asker) failed(ctx context.Context, err error) error {
	if isAgain(ctx) {
		err = repeated(err)
	}
	return a.r.translate(err)
}

// target returns ErrIsDir if there is a directory at a place, and ErrNotDir if there is a file
// above it, before a file is stored there. What was seen is not asked for.
func (r *Remote) target(ctx context.Context, at place) error {
	return r.targetOnce(context.WithValue(ctx, againKey{}, true), at)
}

// targetOnce is target for who asks again if need be.
func (r *Remote) targetOnce(ctx context.Context, at place) error {
	if at.object() && !at.name().HasObject() {
		return objects.ErrNoObject
	}
	return r.dirs.Target(ctx, at.name())
}

// free is target for what is asked for in any case.
func (r *Remote) free(ctx context.Context, at place) error {
	if at.object() && !at.name().HasObject() {
		return objects.ErrNoObject
	}
	ctx = context.WithValue(ctx, againKey{}, true)
	if err := r.dirs.Parents(ctx, at.name()); err != nil {
		return err
	}
	return r.dirs.NotDir(ctx, at.name())
}

// stillFree returns ErrIsDir if there is a directory at a place now: surely if it asks anyway, and
// otherwise if one was seen.
func (r *Remote) stillFree(ctx context.Context, at place, ask bool) error {
	if !ask && !r.dirs.Known(at.name()) {
		return nil
	}
	return r.dirs.NotDir(context.WithValue(ctx, againKey{}, true), at.name())
}

// makeDir stores the object that stands for an empty directory.
func (r *Remote) makeDir(ctx context.Context, at place) error {
	if is, err := r.dirs.Is(ctx, at.name()); err != nil {
		return err
	} else if is {
		return remote.ErrExist
	}
	if _, err := r.head(ctx, at); !isMissing(err) {
		if err == nil {
			err = remote.ErrExist
		}
		return err
	}
	if err := r.dirs.Parents(ctx, at.name()); err != nil {
		return err
	}
	if !r.opt.NoMarkers {
		if err := r.putMarker(ctx, at); err != nil {
			return err
		}
	}
	r.dirs.Made(at.name())
	return nil
}

// removeDir removes the objects that stand for a directory, if there is no other in it.
func (r *Remote) removeDir(ctx context.Context, at place) error {
	doomed, err := r.doomed(ctx, at)
	if err != nil {
		return err
	}
	done, err := r.dirs.Leave(ctx, at.name())
	if err != nil {
		return err
	}
	defer done()
	for _, key := range doomed {
		if err := r.once.RemoveObject(ctx, at.bucket, key, minio.RemoveObjectOptions{}); err != nil {
			return err
		}
	}
	r.dirs.Removed(at.name())
	return nil
}

// doomed returns the keys that are to be removed with an empty directory: its marker, and an empty
// object of its name. There is none of one that is only kept in mind.
func (r *Remote) doomed(ctx context.Context, at place) ([]string, error) {
	var doomed []string
	for o := range r.once.ListObjectsIter(ctx, at.bucket, r.listOptions(at, 2)) {
		switch {
		case o.Err != nil:
			return nil, o.Err
		case o.Key == at.prefix() && o.Size > 0:
			return nil, &objects.MarkerError{Size: o.Size}
		case o.Key == at.prefix():
			doomed = append(doomed, o.Key)
		case strings.HasPrefix(o.Key, at.prefix()):
			return nil, objects.WhyFull(ctx, shelf{r}, objects.Key{Bucket: at.bucket, Name: at.prefix()}, r.names)
		}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if len(r.dirs.KeptIn(at.name())) > 0 {
		return nil, remote.ErrNotEmpty
	}
	switch info, err := r.head(ctx, at); {
	case err == nil && len(doomed) == 0:
		return nil, remote.ErrNotDir
	case err == nil && info.Size == 0:
		doomed = append(doomed, at.key)
	case err == nil: // it will be seen
	case !isMissing(err):
		return nil, err
	case len(doomed) == 0 && !r.dirs.Keeps(at.name()):
		return nil, remote.ErrNotExist
	}
	return doomed, nil
}
