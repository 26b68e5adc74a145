package remote

import (
	"context"
	"errors"
	"io/fs"
	"time"
)

// AsStager returns r as a Stager, if it is one: the driver decides, and calls go through r's
// decorators.
func AsStager(r Remote) (Stager, bool) { return ability[Stager](r) }

// AsMover returns r as a Mover, if it is one, for a caller that would do something else than Move,
// which copies where r cannot rename. The result can still say ErrUnsupported.
func AsMover(r Remote) (Mover, bool) { return ability[Mover](r) }

// AsPartReader returns r as a PartReader, if it is one.
func AsPartReader(r Remote) (PartReader, bool) { return ability[PartReader](r) }

// RemoveVersion removes name if it is still the file described by was, a result of Stat. Any other
// file stays, and the error is ErrChanged. If r has no precondition for this, RemoveVersion calls
// Stat just before the removal.
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

// sameFile reports whether two descriptions of a name are of the same content, as far as they can
// show.
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

// SetsTimes reports whether SetModTime can change the time of any file of r: its driver is a
// ModTimer that keeps times, or a TimeTeller that says so.
func SetsTimes(r Remote) bool {
	d := driver(r)
	if t, ok := d.(TimeTeller); ok {
		return t.SetsTimes()
	}
	_, ok := d.(ModTimer)
	return ok && r.Info().Caps.ModTime != 0
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

// CheckName returns ErrBadName if r knows without I/O that it cannot hold a file or directory
// called name, and ErrInvalid if name is not a valid path. nil promises nothing: the server may
// still refuse the name.
func CheckName(r Remote, name string) error {
	if !ValidPath(name) {
		return &fs.PathError{Op: "checkname", Path: name, Err: ErrInvalid}
	}
	if c, ok := ability[NameChecker](r); ok {
		return c.CheckName(name)
	}
	return nil
}

// CheckTime returns nil if r, provided that it sets modification times at all, would keep t for the
// file called name; ErrInvalid if it could not; and ErrUnsupported if only SetModTime can find out.
// Every remote keeps a CommonTime.
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
// ErrUnsupported if r would have to query name to know.
func CheckTarget(ctx context.Context, r Remote, name string) error {
	if c, ok := ability[TargetChecker](r); ok {
		return c.CheckTarget(ctx, name)
	}
	return unsupported("checktarget", name)
}

// GetUsage returns how full r is, or ErrUnsupported.
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

// driver returns the remote below all decorators of r.
func driver(r Remote) Remote {
	for {
		next := below(r)
		if next == nil {
			return r
		}
		r = next
	}
}

// below returns the remote that r decorates, or nil if r is a driver.
func below(r Remote) Remote {
	if w, ok := r.(interface{ Unwrap() Remote }); ok {
		return w.Unwrap()
	}
	return nil
}
