package access

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"time"

	"ferry/ftp"
)

// A Mount shows a tree as a directory of another.
type Mount struct {
	Path     string // absolute; see CheckPath, but without *
	FS       ftp.FS
	ReadOnly bool
}

// Join returns root with mounts in it. What root has under the path of a mount is not seen, and
// directories on the way to one are there even if root has none. Mounts, and the directories on the
// way, can neither be removed nor renamed, and nothing is renamed from one tree to another. A nil
// root is an empty one that nothing can be stored in. Closing the result closes all trees.
func Join(root ftp.FS, mounts []Mount) ftp.FS {
	j := &joined{}
	if root == nil {
		root = empty{}
	}
	j.parts = append(j.parts, part{fs: ftp.Forward{FS: root}})
	for _, m := range mounts {
		j.parts = append(j.parts, part{elementsOf(m.Path), ftp.Forward{FS: m.FS}, m.ReadOnly})
	}
	return j
}

// joined is a tree made of several.
type joined struct {
	parts []part // the root first
}

// part is one of the trees.
type part struct {
	path     []string // elements; empty for the root
	fs       ftp.Forward
	readOnly bool
}

// at returns the tree that name is in, and its name there.
func (j *joined) at(name string) (p part, inner string) {
	elements := elementsOf(name)
	for _, candidate := range j.parts {
		n := len(candidate.path)
		if n >= len(p.path) && n <= len(elements) && slices.Equal(elements[:n], candidate.path) {
			p = candidate
		}
	}
	inner = root
	for _, e := range elements[len(p.path):] {
		inner = join(inner, e)
	}
	return p, inner
}

// below returns the names of the entries of dir that are mounts, or lead to some.
func (j *joined) below(dir string) []string {
	elements := elementsOf(dir)
	var names []string
	for _, p := range j.parts {
		n := len(elements)
		if len(p.path) > n && slices.Equal(p.path[:n], elements) && !slices.Contains(names, p.path[n]) {
			names = append(names, p.path[n])
		}
	}
	return names
}

// fixed reports whether name is a mount, the root, or leads to a mount.
func (j *joined) fixed(name string) bool {
	_, inner := j.at(name)
	return inner == root || len(j.below(name)) > 0
}

// writable returns the tree that name may be changed in.
func (j *joined) writable(op, name string) (p part, inner string, err error) {
	p, inner = j.at(name)
	switch {
	case p.readOnly:
		err = refuse(op, name, fs.ErrPermission, hintReadOnly)
	case j.fixed(name):
		err = refuse(op, name, fs.ErrPermission, hintMount)
	}
	return p, inner, err
}

// Texts for the client.
const (
	hintReadOnly = "What is below this directory can only be read."
	hintMount    = "This directory is fixed by the administrator."
	hintAcross   = "These directories are different storages: download the file and upload it there."
	hintVirtual  = "Nothing can be stored here: change to one of the directories first."
)

// Stat implements ftp.FS.
func (j *joined) Stat(ctx context.Context, name string) (fs.FileInfo, error) {
	p, inner := j.at(name)
	return j.described(name, func() (fs.FileInfo, error) { return p.fs.Stat(ctx, inner) })
}

// StatSize implements ftp.Sizer.
func (j *joined) StatSize(ctx context.Context, name string) (fs.FileInfo, error) {
	p, inner := j.at(name)
	return j.described(name, func() (fs.FileInfo, error) { return p.fs.StatSize(ctx, inner) })
}

// described describes name, which is a directory whatever there is if mounts need it.
func (j *joined) described(name string, stat func() (fs.FileInfo, error)) (fs.FileInfo, error) {
	info, err := stat()
	if !j.fixed(name) {
		return info, err
	}
	if err == nil && info.IsDir() {
		return named{info, baseOf(name)}, nil
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, ftp.ErrNotDir) {
		return virtualDir(baseOf(name)), nil
	}
	return nil, err
}

// List implements ftp.FS.
func (j *joined) List(ctx context.Context, dir string) iter.Seq2[fs.FileInfo, error] {
	return func(yield func(fs.FileInfo, error) bool) {
		p, inner := j.at(dir)
		fixed := j.below(dir)
		for info, err := range p.fs.List(ctx, inner) {
			if err != nil && len(fixed) > 0 && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, ftp.ErrNotDir)) {
				break // it is there for the mounts alone
			}
			if err == nil && slices.Contains(fixed, info.Name()) {
				continue
			}
			if !yield(info, err) {
				return
			}
		}
		for _, name := range fixed {
			info, err := j.Stat(ctx, join(dir, name))
			if err != nil {
				info = virtualDir(name) // a storage that does not answer hides no other
			}
			if !yield(info, nil) {
				return
			}
		}
	}
}

// Open implements ftp.FS.
func (j *joined) Open(ctx context.Context, name string, off int64) (io.ReadCloser, error) {
	p, inner := j.at(name)
	if j.fixed(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: ftp.ErrIsDir}
	}
	return p.fs.Open(ctx, inner, off)
}

// Create implements ftp.FS.
func (j *joined) Create(ctx context.Context, name string, off int64) (ftp.Upload, error) {
	p, inner, err := j.writable("create", name)
	if err != nil {
		return nil, err
	}
	return p.fs.Create(ctx, inner, off)
}

// Remove implements ftp.FS.
func (j *joined) Remove(ctx context.Context, name string) error {
	p, inner, err := j.writable("remove", name)
	if err != nil {
		return err
	}
	return p.fs.Remove(ctx, inner)
}

// Rename implements ftp.FS.
func (j *joined) Rename(ctx context.Context, from, to string) error {
	p, inner, err := j.writable("rename", from)
	if err != nil {
		return err
	}
	q, target, err := j.writable("rename", to)
	if err != nil {
		return err
	}
	if !slices.Equal(p.path, q.path) {
		return refuse("rename", to, errors.ErrUnsupported, hintAcross)
	}
	return p.fs.Rename(ctx, inner, target)
}

// Mkdir implements ftp.FS.
func (j *joined) Mkdir(ctx context.Context, dir string) error {
	if j.fixed(dir) {
		return &fs.PathError{Op: "mkdir", Path: dir, Err: fs.ErrExist}
	}
	p, inner, err := j.writable("mkdir", dir)
	if err != nil {
		return err
	}
	return p.fs.Mkdir(ctx, inner)
}

// Rmdir implements ftp.FS.
func (j *joined) Rmdir(ctx context.Context, dir string) error {
	p, inner, err := j.writable("rmdir", dir)
	if err != nil {
		return err
	}
	return p.fs.Rmdir(ctx, inner)
}

// Close implements ftp.FS.
func (j *joined) Close() error {
	var errs []error
	for _, p := range j.parts {
		errs = append(errs, p.fs.Close())
	}
	return errors.Join(errs...)
}

// SetModTime implements ftp.ModTimer.
func (j *joined) SetModTime(ctx context.Context, name string, t time.Time) error {
	p, inner, err := j.writable("chtimes", name)
	if err != nil {
		return err
	}
	return p.fs.SetModTime(ctx, inner, t)
}

// SetMode implements ftp.Moder.
func (j *joined) SetMode(ctx context.Context, name string, perm fs.FileMode) error {
	p, inner, err := j.writable("chmod", name)
	if err != nil {
		return err
	}
	return p.fs.SetMode(ctx, inner, perm)
}

// Hash implements ftp.Hasher.
func (j *joined) Hash(ctx context.Context, name, algorithm string) ([]byte, error) {
	p, inner := j.at(name)
	return p.fs.Hash(ctx, inner, algorithm)
}

// Free implements ftp.Spacer.
func (j *joined) Free(ctx context.Context, dir string) (int64, error) {
	p, inner := j.at(dir)
	return p.fs.Free(ctx, inner)
}

// Permitted implements ftp.Permitter.
func (j *joined) Permitted(name string, info fs.FileInfo) ftp.Perm {
	p, inner := j.at(name)
	perm := p.fs.Permitted(inner, info)
	if p.readOnly {
		perm &= ftp.PermRead | ftp.PermEnter
	}
	if j.fixed(name) {
		perm &^= ftp.PermDelete | ftp.PermRename
	}
	return perm
}

// FoldsCase reports whether names of one of the trees are found in any case.
func (j *joined) FoldsCase() bool {
	return slices.ContainsFunc(j.parts, func(p part) bool {
		f, may := p.fs.FS.(caseFolder)
		return may && f.FoldsCase()
	})
}

func baseOf(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// named is a FileInfo with another name.
type named struct {
	fs.FileInfo
	name string
}

func (n named) Name() string { return n.name }

// Owner implements ftp.Owned.
func (n named) Owner() (uid, gid uint32) {
	if o, able := n.FileInfo.(ftp.Owned); able {
		return o.Owner()
	}
	return 0, 0
}

// ListTime implements ftp.Dated.
func (n named) ListTime() time.Time {
	if d, able := n.FileInfo.(ftp.Dated); able {
		return d.ListTime()
	}
	return n.ModTime()
}

// ID implements ftp.Identified.
func (n named) ID() uint64 {
	if i, able := n.FileInfo.(ftp.Identified); able {
		return i.ID()
	}
	return 0
}

// virtualDir describes a directory that no storage has. It is its name.
type virtualDir string

func (d virtualDir) Name() string       { return string(d) }
func (d virtualDir) Size() int64        { return 0 }
func (d virtualDir) Mode() fs.FileMode  { return fs.ModeDir | 0o555 }
func (d virtualDir) ModTime() time.Time { return time.Time{} }
func (d virtualDir) IsDir() bool        { return true }
func (d virtualDir) Sys() any           { return nil }

// ListTime implements ftp.Dated: the time is not known.
func (d virtualDir) ListTime() time.Time { return time.Unix(0, 0).UTC() }

// empty is a tree with nothing in it, which nothing can be stored in.
type empty struct{}

func (empty) missing(op, name string) error {
	return &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
}

func (e empty) Stat(_ context.Context, name string) (fs.FileInfo, error) {
	if name == root {
		return virtualDir(root), nil
	}
	return nil, e.missing("stat", name)
}

func (e empty) List(_ context.Context, dir string) iter.Seq2[fs.FileInfo, error] {
	return func(yield func(fs.FileInfo, error) bool) {
		if dir != root {
			yield(nil, e.missing("list", dir))
		}
	}
}

func (e empty) Open(_ context.Context, name string, _ int64) (io.ReadCloser, error) {
	return nil, e.missing("open", name)
}

func (empty) Create(_ context.Context, name string, _ int64) (ftp.Upload, error) {
	return nil, refuse("create", name, fs.ErrPermission, hintVirtual)
}

func (e empty) Remove(_ context.Context, name string) error { return e.missing("remove", name) }

func (e empty) Rename(_ context.Context, from, _ string) error { return e.missing("rename", from) }

func (empty) Mkdir(_ context.Context, dir string) error {
	return refuse("mkdir", dir, fs.ErrPermission, hintVirtual)
}

func (e empty) Rmdir(_ context.Context, dir string) error { return e.missing("rmdir", dir) }

// Permitted implements ftp.Permitter.
func (empty) Permitted(string, fs.FileInfo) ftp.Perm { return ftp.PermRead | ftp.PermEnter }

func (empty) Close() error { return nil }
