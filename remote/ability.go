package remote

import (
	"context"
	"errors"
	"io/fs"
	"time"
)

// AsStager returns r as a Stager, if it is one: the answer is the driver's, the calls go through
// r's decorators.
func AsStager(r Remote) (Stager, bool) { return ability[Stager](r) }

// RemoveVersion removes name if it is still the file that was describes, as Stat returned it;
// another one stays, and is ErrChanged. Where r has no precondition for it, name is looked at just
// before it is removed.
func RemoveVersion(ctx context.Context, r Remote, name string, was Entry) error {
	if v, ok := ability[VersionRemover](r); ok && was.Version != "" {
		err := v.RemoveVersion(ctx, name, was.Version)
		if !errors.Is(err, ErrUnsupported) {
			return err
		}
	}
	now, err := r.Stat(ctx, name)
	if err != nil {
		return err
	}
	if !sameFile(was, now) {
		return &fs.PathError{Op: "remove", Path: name, Err: ErrChanged}
	}
	return r.Remove(ctx, name)
}

// sameFile reports whether two descriptions of a name are those of one content, as far as they
// tell.
func sameFile(a, b Entry) bool {
	if a.Version != "" && b.Version != "" {
		return a.Version == b.Version
	}
	return a.Dir == b.Dir && a.Size == b.Size && a.ModTime.Equal(b.ModTime) && a.ID == b.ID
}

// SetModTime sets the modification time of name, or returns ErrUnsupported.
func SetModTime(ctx context.Context, r Remote, name string, t time.Time) error {
	if m, ok := ability[ModTimer](r); ok {
		return m.SetModTime(ctx, name, t)
	}
	return unsupported("setmodtime", name)
}

// SetMode sets the permission bits of name, or returns ErrUnsupported.
func SetMode(ctx context.Context, r Remote, name string, perm fs.FileMode) error {
	if m, ok := ability[Moder](r); ok {
		return m.SetMode(ctx, name, perm)
	}
	return unsupported("setmode", name)
}

// Hash returns the digest of name by algorithm where r knows it without reading the file, or
// ErrUnsupported.
func Hash(ctx context.Context, r Remote, name, algorithm string) ([]byte, error) {
	if h, ok := ability[Hasher](r); ok {
		return h.Hash(ctx, name, algorithm)
	}
	return nil, unsupported("hash", name)
}

// CheckName returns ErrBadName when r says, without asking anybody, that it cannot hold a file or
// directory called name, and ErrInvalid when that is no name at all. nil promises nothing: the far
// side may still refuse it.
func CheckName(r Remote, name string) error {
	if !ValidPath(name) {
		return &fs.PathError{Op: "checkname", Path: name, Err: ErrInvalid}
	}
	if c, ok := ability[NameChecker](r); ok {
		return c.CheckName(name)
	}
	return nil
}

// CheckTime returns nil when r, where it sets modification times at all, would keep t as that of
// the file called name, ErrInvalid when it could not, and ErrUnsupported when only SetModTime
// tells. A CommonTime is kept by every remote.
func CheckTime(r Remote, name string, t time.Time) error {
	if CommonTime(t) {
		return nil
	}
	if c, ok := ability[TimeChecker](r); ok {
		return c.CheckTime(name, t)
	}
	return unsupported("checktime", name)
}

// CheckTarget returns ErrIsDir or ErrNotDir when there can be no file called name, or
// ErrUnsupported where r would have to look at it.
func CheckTarget(ctx context.Context, r Remote, name string) error {
	if c, ok := ability[TargetChecker](r); ok {
		return c.CheckTarget(ctx, name)
	}
	return unsupported("checktarget", name)
}

// GetUsage tells how full r is, or ErrUnsupported.
func GetUsage(ctx context.Context, r Remote) (Usage, error) {
	if u, ok := ability[Usager](r); ok {
		return u.Usage(ctx)
	}
	return Usage{}, unsupported("usage", ".")
}

// ability returns r as a T when the driver that r wraps is a T. The driver may still answer a call
// with ErrUnsupported.
func ability[T any](r Remote) (T, bool) {
	var none T
	if _, ok := driver(r).(T); !ok {
		return none, false
	}
	t, ok := r.(T)
	return t, ok
}

// driver follows the decorators of r down to what does the work.
func driver(r Remote) Remote {
	for {
		next := below(r)
		if next == nil {
			return r
		}
		r = next
	}
}

// below returns what r decorates, nil if it does the work.
func below(r Remote) Remote {
	if w, ok := r.(interface{ Unwrap() Remote }); ok {
		return w.Unwrap()
	}
	return nil
}
