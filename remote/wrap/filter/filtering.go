package filter

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"ferry/remote"
	"ferry/remote/wrap/intercept"
)

// filtering leaves out what a Filter says.
type filtering struct {
	*Remote
	filter  *Filter
	markers *markers // nil without ExcludeIfPresent
}

// judge returns the flag that leaves name out, whichever of k it is; "" where it exists as one of
// them at least. For what is in a directory that a marker excludes, that is the flag of markers.
func (r *filtering) judge(ctx context.Context, name string, k kind) (verdict, error) {
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
func (r *filtering) mayExist(ctx context.Context, op, name string, k kind) error {
	v, err := r.judge(ctx, name, k)
	if err == nil && v != included {
		err = missing(op, name)
	}
	return err
}

// exists is mayExist for a name that may be anything. Where it depends on what it is, the remote is
// asked.
func (r *filtering) exists(ctx context.Context, op, name string) error {
	err := r.mayExist(ctx, op, name, anything)
	if err == nil && (r.filter.measured() || r.markers != nil || r.filter.dir(name) != r.filter.file(name)) {
		_, err = r.Stat(ctx, name)
	}
	return err
}

// mayBecome returns an error unless to may be made of what c moves or copies. A directory takes
// along what is left out of it.
func (r *filtering) mayBecome(ctx context.Context, c *intercept.Call) error {
	k := anything
	if r.filter.dir(c.To) != r.filter.file(c.To) {
		e, err := r.Forward.Stat(ctx, c.Name)
		if err != nil {
			return err
		}
		k = kindOf(e)
	}
	return r.allowCreate(ctx, string(c.Op), c.To, k)
}

// allowCreate returns an error unless a name of k may be made.
func (r *filtering) allowCreate(ctx context.Context, op, name string, k kind) error {
	v, err := r.judge(ctx, name, k)
	if err == nil && v != included {
		err = refuse(op, name, "This server has no files or directories of such names ("+string(v)+").")
	}
	return err
}

// call makes a call that was not refused.
func (r *filtering) call(ctx context.Context, c *intercept.Call) error {
	switch c.Op {
	case intercept.Stat:
		return r.stat(ctx, c)
	case intercept.List:
		return r.list(ctx, c)
	case intercept.Open:
		return r.open(ctx, c)
	case intercept.Part, intercept.DropPart:
		if err := r.mayExist(ctx, string(c.Op), c.Name, aFile); err != nil {
			return err
		}
	case intercept.Rmdir: // a directory that looks empty may hold what is left out
		err := c.Do(ctx)
		if errors.Is(err, remote.ErrNotEmpty) {
			return r.explainNotEmpty(ctx, c.Name, err)
		}
		return err
	}
	return c.Do(ctx)
}

func (r *filtering) stat(ctx context.Context, c *intercept.Call) error {
	if c.Name == "." {
		return c.Do(ctx)
	}
	if err := r.mayExist(ctx, "stat", c.Name, anything); err != nil {
		return err
	}
	if err := c.Do(ctx); err != nil {
		return err
	}
	shown, err := r.shows(ctx, c.Name, c.Entry)
	if err == nil && !shown {
		err = missing("stat", c.Name)
	}
	return err
}

// open measures a file by what comes with its content where the remote tells it there.
func (r *filtering) open(ctx context.Context, c *intercept.Call) error {
	if err := r.mayExist(ctx, "open", c.Name, anything); err != nil {
		return err
	}
	err := c.Do(ctx)
	switch {
	case errors.Is(err, remote.ErrIsDir):
		return cmp.Or(r.mayExist(ctx, "open", c.Name, aDir), err)
	case err != nil:
		return err
	case r.filter.file(c.Name) != included: // only a directory may have that name
		return missing("open", c.Name)
	case !r.filter.measured():
		return nil
	}
	e, known := remote.Describe(c.Reader)
	if !known || e.Size < 0 || e.ModTime.IsZero() {
		e, err = r.Forward.Stat(ctx, c.Name)
	}
	if err == nil && !r.filter.fits(e) {
		err = missing("open", c.Name)
	}
	return err
}

// shows reports whether e, which is called name, is left.
func (r *filtering) shows(ctx context.Context, name string, e remote.Entry) (bool, error) {
	if !e.Dir {
		return r.filter.fits(e) && r.filter.ofFile(name) == included, nil
	}
	if name != "." && r.filter.ofDir(name) != included {
		return false, nil
	}
	hidden, err := r.markers.hides(ctx, name)
	return !hidden, err
}

// list yields what is left of a directory. Whether directories have markers is asked for several at
// a time. A root with a marker in it is empty.
func (r *filtering) list(ctx context.Context, c *intercept.Call) error {
	v, err := r.judge(ctx, c.Name, aDir)
	switch {
	case err != nil:
		return err
	case v != included && c.Name == ".":
		return nil
	case v != included:
		return missing("list", c.Name)
	}
	var dirs []remote.Entry
	name, yield, more := c.Name, c.Yield, true
	c.Yield = func(e remote.Entry, err error) bool {
		switch {
		case err != nil:
			yield(remote.Entry{}, err)
			more = false
		case e.Dir && r.markers != nil:
			if dirs = append(dirs, e); len(dirs) == markerBatch {
				more = r.listDirs(ctx, name, dirs, yield)
				dirs = dirs[:0]
			}
		default:
			more = r.yieldShown(ctx, name, e, yield)
		}
		return more
	}
	if err := c.Do(ctx); err != nil || !more {
		return err
	}
	r.listDirs(ctx, name, dirs, yield)
	return nil
}

// yieldShown yields e, which is in dir, if it is left, and reports whether more is wanted.
func (r *filtering) yieldShown(ctx context.Context, dir string, e remote.Entry, yield func(remote.Entry, error) bool) bool {
	shown, err := r.shows(ctx, remote.Join(dir, e.Name), e)
	if err != nil {
		yield(remote.Entry{}, err)
		return false
	}
	return !shown || yield(e, nil)
}

// listDirs yields those of dirs that are left, and reports whether more is wanted.
func (r *filtering) listDirs(ctx context.Context, parent string, dirs []remote.Entry, yield func(remote.Entry, error) bool) bool {
	if len(dirs) > 1 {
		r.markers.ask(ctx, parent, dirs)
	}
	for _, e := range dirs {
		if !r.yieldShown(ctx, parent, e, yield) {
			return false
		}
	}
	return true
}

// explainNotEmpty says that what is left in dir is left out, if that is so.
func (r *filtering) explainNotEmpty(ctx context.Context, dir string, err error) error {
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
