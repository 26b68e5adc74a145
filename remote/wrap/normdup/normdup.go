// Package normdup is a decorator that hides names of which people see two alike: a name that is not
// in Unicode's normal form C, where the name in that form is in the same directory too. macOS
// writes the one, everything else the other.
//
// What is hidden does not exist. Making it is remote.ErrBadName with a Hint that names
// --vfs-block-norm-dupes.
package normdup

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"ferry/remote"
)

// Remote is a remote without names that look like others.
type Remote struct{ remote.Forward }

// New returns r without names that look like others.
func New(r remote.Remote) *Remote { return &Remote{remote.Forward{Remote: r}} }

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
func (r *Remote) exists(ctx context.Context, op, name string) error {
	hidden, err := r.hidden(ctx, name)
	if err == nil && hidden {
		err = &fs.PathError{Op: op, Path: name, Err: remote.ErrNotExist}
	}
	return err
}

// hidden reports whether name, or a directory that it is in, looks like another.
func (r *Remote) hidden(ctx context.Context, name string) (bool, error) {
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

// MayMake returns the error of making name where it would look like another, else nil.
func (r *Remote) MayMake(ctx context.Context, name string) error {
	return r.mayMake(ctx, "create", name)
}

func (r *Remote) mayMake(ctx context.Context, op, name string) error {
	hidden, err := r.hidden(ctx, name)
	if err == nil && hidden {
		err = &refusal{&fs.PathError{Op: op, Path: name, Err: remote.ErrBadName}}
	}
	return err
}

// A refusal is the error of making a name that would look like another.
type refusal struct{ *fs.PathError }

// Hint returns a line for the client.
func (r *refusal) Hint() string {
	return "There is another name that looks the same (--vfs-block-norm-dupes)."
}

func (r *refusal) Unwrap() error { return r.PathError }

// Stat implements remote.Remote.
func (r *Remote) Stat(ctx context.Context, name string) (remote.Entry, error) {
	if err := r.exists(ctx, "stat", name); err != nil {
		return remote.Entry{}, err
	}
	return r.Forward.Stat(ctx, name)
}

// List implements remote.Remote. Names that are not in normal form come last; of several that look
// alike and of which none is in it, the first in the order of their bytes.
func (r *Remote) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		if err := r.exists(ctx, "list", dir); err != nil {
			yield(remote.Entry{}, err)
			return
		}
		var held []remote.Entry
		normal := map[string]struct{}{} // those beyond ASCII
		for e, err := range r.Forward.List(ctx, dir) {
			if err == nil && !norm.NFC.IsNormalString(e.Name) {
				held = append(held, e)
				continue
			}
			if err == nil && !isASCII(e.Name) {
				normal[e.Name] = struct{}{}
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
		r.listHeld(ctx, dir, held, normal, yield)
	}
}

// listHeld yields those of held that do not look like another. A name in normal form that is not in
// normal may still exist if it is in ASCII: there are three signs beyond it whose normal form is a
// letter or mark of ASCII.
func (r *Remote) listHeld(ctx context.Context, dir string, held []remote.Entry, normal map[string]struct{}, yield func(remote.Entry, error) bool) {
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

// Open implements remote.Remote.
func (r *Remote) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	if err := r.exists(ctx, "open", name); err != nil {
		return nil, err
	}
	return r.Forward.Open(ctx, name, off, n)
}

// Put implements remote.Remote.
func (r *Remote) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	if err := r.mayMake(ctx, "put", name); err != nil {
		return remote.Entry{}, err
	}
	return r.Forward.Put(ctx, name, body, o)
}

// Stage implements remote.Stager.
func (r *Remote) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	if err := r.mayMake(ctx, "stage", name); err != nil {
		return nil, err
	}
	return r.Forward.Stage(ctx, name, o)
}

// Mkdir implements remote.Remote.
func (r *Remote) Mkdir(ctx context.Context, dir string) error {
	if err := r.mayMake(ctx, "mkdir", dir); err != nil {
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

// Rmdir implements remote.Remote. A directory that looks empty may hold what is hidden; then it is
// ErrNotEmpty.
func (r *Remote) Rmdir(ctx context.Context, dir string) error {
	if err := r.exists(ctx, "rmdir", dir); err != nil {
		return err
	}
	return r.Forward.Rmdir(ctx, dir)
}

// Move implements remote.Mover. A name may be turned into its own normal form.
func (r *Remote) Move(ctx context.Context, from, to string) error {
	if err := r.between(ctx, "move", from, to); err != nil {
		return err
	}
	return r.Forward.Move(ctx, from, to)
}

// Copy implements remote.Copier.
func (r *Remote) Copy(ctx context.Context, from, to string) error {
	if err := r.between(ctx, "copy", from, to); err != nil {
		return err
	}
	return r.Forward.Copy(ctx, from, to)
}

func (r *Remote) between(ctx context.Context, op, from, to string) error {
	if err := r.exists(ctx, op, from); err != nil {
		return err
	}
	if other, possible := twin(to); possible && op == "move" && other == from {
		return nil
	}
	return r.mayMake(ctx, op, to)
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
