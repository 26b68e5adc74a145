package remote

import (
	"context"
	"io"
	"io/fs"
	"iter"
	"time"
)

// Forward is the base of decorators: a Remote that forwards every call to the one it holds,
// including those of the optional interfaces. A call that the inner remote does not support returns
// ErrUnsupported.
//
// Because a decorator has all the methods, a type assertion on it proves nothing. Whether it has an
// ability is decided by the driver at the end of the Unwrap chain; the helpers of this package
// check there, and then make the call through the decorators. Hence a wrapper that adds an ability
// or takes one away is a driver in this sense: it must not have a method Unwrap, and so must not
// embed Forward.
type Forward struct{ Remote }

// Unwrap returns the remote that f forwards its calls to.
func (f Forward) Unwrap() Remote { return f.Remote }

// Move implements Mover.
func (f Forward) Move(ctx context.Context, from, to string) error {
	if m, ok := f.Remote.(Mover); ok {
		return m.Move(ctx, from, to)
	}
	return unsupported("move", from)
}

// Copy implements Copier.
func (f Forward) Copy(ctx context.Context, from, to string) error {
	if c, ok := f.Remote.(Copier); ok {
		return c.Copy(ctx, from, to)
	}
	return unsupported("copy", from)
}

// RemoveVersion implements VersionRemover.
func (f Forward) RemoveVersion(ctx context.Context, name, version string) error {
	if v, ok := f.Remote.(VersionRemover); ok {
		return v.RemoveVersion(ctx, name, version)
	}
	return unsupported("remove", name)
}

// PutIf implements ConditionalPutter.
func (f Forward) PutIf(ctx context.Context, name string, body io.Reader, version string, o PutOptions) (Entry, error) {
	if p, ok := f.Remote.(ConditionalPutter); ok {
		return p.PutIf(ctx, name, body, version, o)
	}
	return Entry{}, unsupported("put", name)
}

// SetModTime implements ModTimer.
func (f Forward) SetModTime(ctx context.Context, name string, t time.Time) error {
	if m, ok := f.Remote.(ModTimer); ok {
		return m.SetModTime(ctx, name, t)
	}
	return unsupported("setmodtime", name)
}

// SetMode implements Moder.
func (f Forward) SetMode(ctx context.Context, name string, perm fs.FileMode) error {
	if m, ok := f.Remote.(Moder); ok {
		return m.SetMode(ctx, name, perm)
	}
	return unsupported("setmode", name)
}

// Hash implements Hasher.
func (f Forward) Hash(ctx context.Context, name, algorithm string) ([]byte, error) {
	if h, ok := f.Remote.(Hasher); ok {
		return h.Hash(ctx, name, algorithm)
	}
	return nil, unsupported("hash", name)
}

// CheckName implements NameChecker. A remote without a NameChecker accepts every name.
func (f Forward) CheckName(name string) error {
	if c, ok := f.Remote.(NameChecker); ok {
		return c.CheckName(name)
	}
	return nil
}

// CheckTime implements TimeChecker.
func (f Forward) CheckTime(name string, t time.Time) error {
	if c, ok := f.Remote.(TimeChecker); ok {
		return c.CheckTime(name, t)
	}
	return unsupported("checktime", name)
}

// CheckTarget implements TargetChecker.
func (f Forward) CheckTarget(ctx context.Context, name string) error {
	if c, ok := f.Remote.(TargetChecker); ok {
		return c.CheckTarget(ctx, name)
	}
	return unsupported("checktarget", name)
}

// Usage implements Usager.
func (f Forward) Usage(ctx context.Context) (Usage, error) {
	if u, ok := f.Remote.(Usager); ok {
		return u.Usage(ctx)
	}
	return Usage{}, unsupported("usage", ".")
}

// Stage implements Stager.
func (f Forward) Stage(ctx context.Context, name string, o StageOptions) (Stage, error) {
	if s, ok := f.Remote.(Stager); ok {
		return s.Stage(ctx, name, o)
	}
	return nil, unsupported("stage", name)
}

// Part implements Stager.
func (f Forward) Part(ctx context.Context, name, owner string) (Entry, error) {
	if s, ok := f.Remote.(Stager); ok {
		return s.Part(ctx, name, owner)
	}
	return Entry{}, unsupported("part", name)
}

// DropPart implements Stager.
func (f Forward) DropPart(ctx context.Context, name, owner string) error {
	if s, ok := f.Remote.(Stager); ok {
		return s.DropPart(ctx, name, owner)
	}
	return unsupported("droppart", name)
}

// OpenPart implements PartReader.
func (f Forward) OpenPart(ctx context.Context, name, owner string, off, n int64) (io.ReadCloser, error) {
	if p, ok := f.Remote.(PartReader); ok {
		return p.OpenPart(ctx, name, owner, off, n)
	}
	return nil, unsupported("openpart", name)
}

// UnfinishedUploads implements UploadLister.
func (f Forward) UnfinishedUploads(ctx context.Context, dir string) iter.Seq2[UnfinishedUpload, error] {
	if l, ok := f.Remote.(UploadLister); ok {
		return l.UnfinishedUploads(ctx, dir)
	}
	return func(yield func(UnfinishedUpload, error) bool) {
		yield(UnfinishedUpload{}, unsupported("unfinisheduploads", dir))
	}
}

// AbortUpload implements UploadAborter.
func (f Forward) AbortUpload(ctx context.Context, token string) error {
	if a, ok := f.Remote.(UploadAborter); ok {
		return a.AbortUpload(ctx, token)
	}
	return unsupported("abortupload", ".")
}

// Watch implements Watcher.
func (f Forward) Watch(ctx context.Context, interval time.Duration) iter.Seq2[Change, error] {
	if w, ok := f.Remote.(Watcher); ok {
		return w.Watch(ctx, interval)
	}
	return func(yield func(Change, error) bool) {
		yield(Change{}, unsupported("watch", "."))
	}
}

func unsupported(op, name string) error {
	return &fs.PathError{Op: op, Path: name, Err: ErrUnsupported}
}
