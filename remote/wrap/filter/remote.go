package filter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"time"

	"ferry/remote"
)

// Remote is a remote from which something is left out.
type Remote struct {
	remote.Forward
	filter  *Filter
	markers *markers // nil without ExcludeIfPresent
}

// New returns what f leaves of r.
func New(r remote.Remote, f *Filter) *Remote {
	return &Remote{remote.Forward{Remote: r}, f, newMarkers(r, f.options.ExcludeIfPresent)}
}

// A kind is what a name may be that is asked about.
type kind uint8

const (
	aFile kind = 1 << iota
	aDir
	anything = aFile | aDir
)

// judge returns the flag that leaves name out, whichever of k it is; "" where it exists as one of
// them at least. For what is in a directory that a marker excludes, that is the flag of markers.
func (r *Remote) judge(ctx context.Context, name string, k kind) (verdict, error) {
	v := r.filter.dir(name)
	if k&aFile != 0 && (k == aFile || v != included) {
		v = r.filter.file(name)
	}
	if v != included {
		return v, nil
	}
	dir, _ := remote.Split(name)
	if k == aDir {
		dir = name
	}
	hidden, err := r.markers.hide(ctx, dir)
	if hidden {
		v = markerFlag
	}
	return v, err
}

// mayExist returns an error unless a name of k may exist.
func (r *Remote) mayExist(ctx context.Context, op, name string, k kind) error {
	v, err := r.judge(ctx, name, k)
	if err == nil && v != included {
		err = missing(op, name)
	}
	return err
}

// exists is mayExist for a name that may be anything. Where it depends on what it is, the remote is
// asked.
func (r *Remote) exists(ctx context.Context, op, name string) error {
	err := r.mayExist(ctx, op, name, anything)
	if err == nil && (r.filter.measured() || r.markers != nil || r.filter.dir(name) != r.filter.file(name)) {
		_, err = r.Stat(ctx, name)
	}
	return err
}

// mayMake returns an error unless a name of k may be made.
func (r *Remote) mayMake(ctx context.Context, op, name string, k kind) error {
	v, err := r.judge(ctx, name, k)
	if err == nil && v != included {
		err = refuse(op, name, string(v))
	}
	return err
}

// shows reports whether e, which is called name, is left.
func (r *Remote) shows(ctx context.Context, name string, e remote.Entry) (bool, error) {
	if !e.Dir {
		return r.filter.fits(e) && r.filter.ofFile(name) == included, nil
	}
	if name != "." && r.filter.ofDir(name) != included {
		return false, nil
	}
	hidden, err := r.markers.hides(ctx, name)
	return !hidden, err
}

// Stat implements remote.Remote.
func (r *Remote) Stat(ctx context.Context, name string) (remote.Entry, error) {
	if name == "." {
		return r.Forward.Stat(ctx, name)
	}
	if err := r.mayExist(ctx, "stat", name, anything); err != nil {
		return remote.Entry{}, err
	}
	e, err := r.Forward.Stat(ctx, name)
	if err != nil {
		return remote.Entry{}, err
	}
	shown, err := r.shows(ctx, name, e)
	if err == nil && !shown {
		err = missing("stat", name)
	}
	return e, err
}

// List implements remote.Remote. A root with a marker in it is empty.
func (r *Remote) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		v, err := r.judge(ctx, dir, aDir)
		if err == nil && v != included {
			if dir == "." {
				return
			}
			err = missing("list", dir)
		}
		if err != nil {
			yield(remote.Entry{}, err)
			return
		}
		r.list(ctx, dir, yield)
	}
}

// list yields what is left of dir. Whether directories have markers is asked for several at a time.
func (r *Remote) list(ctx context.Context, dir string, yield func(remote.Entry, error) bool) {
	var dirs []remote.Entry
	for e, err := range r.Forward.List(ctx, dir) {
		if err != nil {
			yield(remote.Entry{}, err)
			return
		}
		if e.Dir && r.markers != nil {
			if dirs = append(dirs, e); len(dirs) < markerBatch {
				continue
			}
			if !r.listDirs(ctx, dir, dirs, yield) {
				return
			}
			dirs = dirs[:0]
			continue
		}
		shown, err := r.shows(ctx, remote.Join(dir, e.Name), e)
		if err != nil {
			yield(remote.Entry{}, err)
			return
		}
		if shown && !yield(e, nil) {
			return
		}
	}
	r.listDirs(ctx, dir, dirs, yield)
}

// listDirs yields those of dirs that are left, and reports whether more is wanted.
func (r *Remote) listDirs(ctx context.Context, parent string, dirs []remote.Entry, yield func(remote.Entry, error) bool) bool {
	if len(dirs) > 1 {
		r.markers.ask(ctx, parent, dirs)
	}
	for _, e := range dirs {
		shown, err := r.shows(ctx, remote.Join(parent, e.Name), e)
		if err != nil {
			yield(remote.Entry{}, err)
			return false
		}
		if shown && !yield(e, nil) {
			return false
		}
	}
	return true
}

// Open implements remote.Remote. A file is measured by what comes with its content where the remote
// tells it there.
func (r *Remote) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	if err := r.mayExist(ctx, "open", name, anything); err != nil {
		return nil, err
	}
	rc, err := r.Forward.Open(ctx, name, off, n)
	if errors.Is(err, remote.ErrIsDir) {
		if hidden := r.mayExist(ctx, "open", name, aDir); hidden != nil {
			err = hidden
		}
		return nil, err
	}
	if err == nil && r.filter.file(name) != included { // only a directory may have that name
		rc.Close()
		return nil, missing("open", name)
	}
	if err != nil || !r.filter.measured() {
		return rc, err
	}
	e, known := remote.Describe(rc)
	if !known || e.Size < 0 || e.ModTime.IsZero() {
		e, err = r.Forward.Stat(ctx, name)
	}
	if err == nil && !r.filter.fits(e) {
		err = missing("open", name)
	}
	if err != nil {
		rc.Close()
		return nil, err
	}
	return rc, nil
}

// Put implements remote.Remote.
func (r *Remote) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	if err := r.mayMake(ctx, "put", name, aFile); err != nil {
		return remote.Entry{}, err
	}
	return r.Forward.Put(ctx, name, body, o)
}

// Mkdir implements remote.Remote.
func (r *Remote) Mkdir(ctx context.Context, dir string) error {
	if err := r.mayMake(ctx, "mkdir", dir, aDir); err != nil {
		return err
	}
	return r.Forward.Mkdir(ctx, dir)
}

// Remove implements remote.Remote.
func (r *Remote) Remove(ctx context.Context, name string) error {
	if err := r.exists(ctx, "remove", name); err != nil {
		return err
	}
	return r.Forward.Remove(ctx, name)
}

// RemoveVersion implements remote.VersionRemover.
func (r *Remote) RemoveVersion(ctx context.Context, name, version string) error {
	if err := r.exists(ctx, "remove", name); err != nil {
		return err
	}
	return r.Forward.RemoveVersion(ctx, name, version)
}

// Rmdir implements remote.Remote. A directory that looks empty may hold what is left out; then it
// is ErrNotEmpty.
func (r *Remote) Rmdir(ctx context.Context, dir string) error {
	if err := r.exists(ctx, "rmdir", dir); err != nil {
		return err
	}
	err := r.Forward.Rmdir(ctx, dir)
	if errors.Is(err, remote.ErrNotEmpty) {
		return r.explainNotEmpty(ctx, dir, err)
	}
	return err
}

// explainNotEmpty says that what is left in dir is left out, if that is so.
func (r *Remote) explainNotEmpty(ctx context.Context, dir string, err error) error {
	for e, listErr := range r.List(ctx, dir) {
		if listErr != nil || e.Part == "" {
			return err // there is something that shows, or nobody knows
		}
	}
	hidden := 0
	flag := ""
	for e, listErr := range r.Forward.List(ctx, dir) {
		if listErr != nil {
			return err
		}
		if e.Part != "" {
			continue
		}
		hidden++
		if v, judgeErr := r.judge(ctx, remote.Join(dir, e.Name), kindOf(e)); judgeErr == nil && v != included && flag == "" {
			flag = string(v)
		}
	}
	if hidden == 0 {
		return err
	}
	return &hiddenError{err, hidden, flag}
}

func kindOf(e remote.Entry) kind {
	if e.Dir {
		return aDir
	}
	return aFile
}

// A hiddenError is that of removing a directory that holds what is left out.
type hiddenError struct {
	error
	count int
	flag  string // "" = size or age
}

func (h *hiddenError) Unwrap() error { return h.error }

// Hint returns a line for the client.
func (h *hiddenError) Hint() string {
	by := h.flag
	if by == "" {
		by = "their size or age"
	}
	return fmt.Sprintf("Directory not empty: this server does not show %d of its entries (%s).", h.count, by)
}

// SetModTime implements remote.ModTimer.
func (r *Remote) SetModTime(ctx context.Context, name string, t time.Time) error {
	if err := r.exists(ctx, "setmodtime", name); err != nil {
		return err
	}
	return r.Forward.SetModTime(ctx, name, t)
}

// SetMode implements remote.Moder.
func (r *Remote) SetMode(ctx context.Context, name string, perm fs.FileMode) error {
	if err := r.exists(ctx, "setmode", name); err != nil {
		return err
	}
	return r.Forward.SetMode(ctx, name, perm)
}

// Hash implements remote.Hasher.
func (r *Remote) Hash(ctx context.Context, name, algorithm string) ([]byte, error) {
	if err := r.exists(ctx, "hash", name); err != nil {
		return nil, err
	}
	return r.Forward.Hash(ctx, name, algorithm)
}
