package filter

import (
	"context"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"ferry/remote"
	"ferry/remote/wrap/intercept"
)

// distinct hides names of which people see two alike: a name that is not in Unicode's normal form
// C, where the name in that form is in the same directory too. macOS writes the one, everything
// else the other.
type distinct struct{ *Remote }

// NewDistinct returns r without names that look like others. Making one is remote.ErrBadName with a
// Hint that names --vfs-block-norm-dupes.
func NewDistinct(r remote.Remote) *Remote {
	left := &Remote{}
	left.Remote = intercept.New(r, left.call)
	left.policy = &distinct{left}
	return left
}

// twin returns the name that name looks like, and whether there can be one: its last element in
// normal form.
func twin(name string) (string, bool) {
	dir, base := remote.Split(name)
	if norm.NFC.IsNormalString(base) {
		return "", false
	}
	return remote.Join(dir, norm.NFC.String(base)), true
}

// exists returns an error when name is hidden.
func (r *distinct) exists(ctx context.Context, op, name string) error {
	hidden, err := r.hidden(ctx, name)
	if err == nil && hidden {
		err = missing(op, name)
	}
	return err
}

// hidden reports whether name, or a directory that it is in, looks like another.
func (r *distinct) hidden(ctx context.Context, name string) (bool, error) {
	for at := name; at != "."; at, _ = remote.Split(at) {
		other, possible := twin(at)
		if !possible {
			continue
		}
		_, err := r.Forward.Stat(ctx, other)
		switch {
		case err == nil:
			return true, nil
		case !errors.Is(err, remote.ErrNotExist) && !errors.Is(err, remote.ErrNotDir) && !errors.Is(err, remote.ErrBadName):
			return false, err
		}
	}
	return false, nil
}

// allowCreate returns an error where name would look like another.
func (r *distinct) allowCreate(ctx context.Context, op, name string, _ kind) error {
	hidden, err := r.hidden(ctx, name)
	if err == nil && hidden {
		err = refuse(op, name, "There is another name that looks the same (--vfs-block-norm-dupes).")
	}
	return err
}

// mayBecome lets a name be turned into its own normal form.
func (r *distinct) mayBecome(ctx context.Context, c *intercept.Call) error {
	if other, possible := twin(c.To); possible && c.Op == intercept.Move && other == c.Name {
		return nil
	}
	return r.allowCreate(ctx, string(c.Op), c.To, anything)
}

// call makes a call that was not refused.
func (r *distinct) call(ctx context.Context, c *intercept.Call) error {
	switch c.Op {
	case intercept.Stat, intercept.Open, intercept.List:
		if err := r.exists(ctx, string(c.Op), c.Name); err != nil {
			return err
		}
	}
	if c.Op == intercept.List {
		return r.list(ctx, c)
	}
	return c.Do(ctx)
}

// list yields names that are not in normal form last; of several that look alike and of which none
// is in it, the first in the order of their bytes.
func (r *distinct) list(ctx context.Context, c *intercept.Call) error {
	var held []remote.Entry
	normal := map[string]struct{}{} // those beyond ASCII
	name, yield, more := c.Name, c.Yield, true
	c.Yield = func(e remote.Entry, err error) bool {
		switch {
		case err == nil && !norm.NFC.IsNormalString(e.Name):
			held = append(held, e)
			return true
		case err == nil && !isASCII(e.Name):
			normal[e.Name] = struct{}{}
		}
		more = yield(e, err) && err == nil
		return more
	}
	if err := c.Do(ctx); err != nil || !more {
		return err
	}
	r.listHeld(ctx, name, held, normal, yield)
	return nil
}

// listHeld yields those of held that do not look like another. A name in normal form that is not in
// normal may still exist if it is in ASCII: there are three signs beyond it whose normal form is a
// letter or mark of ASCII.
func (r *distinct) listHeld(ctx context.Context, dir string, held []remote.Entry, normal map[string]struct{}, yield func(remote.Entry, error) bool) {
	slices.SortFunc(held, func(a, b remote.Entry) int { return strings.Compare(a.Name, b.Name) })
	for _, e := range held {
		form := norm.NFC.String(e.Name)
		if _, taken := normal[form]; taken {
			continue
		}
		if isASCII(form) {
			if err := r.exists(ctx, "list", remote.Join(dir, e.Name)); errors.Is(err, remote.ErrNotExist) {
				continue
			} else if err != nil {
				yield(remote.Entry{}, err)
				return
			}
		}
		if e.Part == "" {
			normal[form] = struct{}{}
		}
		if !yield(e, nil) {
			return
		}
	}
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
