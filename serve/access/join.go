package access

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strings"
	"syscall"
	"time"

	"ferry/ftp"
)

// A Mount is a tree in a directory of another.
type Mount struct {
	Path     string // absolute; see CheckPath, but without *
	FS       ftp.FS
	ReadOnly bool // nothing in it may be changed
}

// Join returns root with mounts in it. A mount hides what root has at its path, is shown in the
// listing of its parent, and can be neither removed nor renamed; nothing is renamed from one tree
// to another. Directories that lead to a mount are there even if root has none of that name.
//
// A nil root is a tree of nothing but the directories that lead to mounts; nothing can be stored in
// it. Closing the result closes all trees, root too.
func Join(root ftp.FS, mounts []Mount) ftp.FS {
	if root == nil {
		root = nowhere{}
	}
	j := &joined{trees: []joint{{Forward: ftp.Forward{FS: root}}}, began: time.Now()}
	for _, m := range mounts {
		j.trees = append(j.trees, joint{ftp.Forward{FS: m.FS}, elementsOf(m.Path), m.ReadOnly})
	}
	for _, one := range j.trees {
		j.fold = j.fold || one.FoldsCase()
	}
	return j
}

// joined is a tree made of several.
type joined struct {
	trees []joint // the first is the root
	fold  bool    // names that differ in case alone may be those of one file
	began time.Time
}

// joint is one of the trees, and where it is.
type joint struct {
	ftp.Forward
	elements []string // of its path
	readOnly bool
}

// place is where a name of the joined tree is.
type place struct {
	*joint
	name  string // in the tree of joint
	leads bool   // it is a directory on the way to a mount
	mount bool   // it is where a mount is
}

// of returns the place of name: in the deepest mount that covers it.
func (j *joined) of(name string) place {
	p := place{joint: &j.trees[0], name: name}
	depth := depthOf(name)
	for i := range j.trees[1:] {
		m := &j.trees[i+1]
		switch {
		case len(m.elements) > depth:
			p.leads = p.leads || covers(m.elements[:depth], name, j.fold)
		case covers(m.elements, name, j.fold) && len(m.elements) >= len(p.elements):
			p.joint = m
		}
	}
	p.name = below(name, len(p.elements))
	p.mount = p.joint != &j.trees[0] && len(p.elements) == depth
	return p
}

// below returns name without its first n elements.
func below(name string, n int) string {
	if n >= depthOf(name) {
		return root
	}
	for range n {
		_, name, _ = strings.Cut(name, "/")
	}
	return name
}

// change returns the place of name for a change of the entry, or an error if it cannot change.
func (j *joined) change(op, name string) (place, error) {
	p := j.of(name)
	switch {
	case p.readOnly:
		return p, refuse(op, name, fs.ErrPermission, hintReadOnly)
	case p.mount, p.leads:
		return p, refuse(op, name, fs.ErrPermission, hintMount)
	}
	return p, nil
}

// FoldsCase reports whether a name can be found under one that differs in case.
func (j *joined) FoldsCase() bool { return j.fold }

// Close implements ftp.FS.
func (j *joined) Close() error {
	var errs []error
	for _, one := range j.trees {
		errs = append(errs, one.Close())
	}
	return errors.Join(errs...)
}

// Stat implements ftp.FS.
func (j *joined) Stat(ctx context.Context, name string) (fs.FileInfo, error) {
	p := j.of(name)
	info, err := p.Stat(ctx, p.name)
	return j.described(p, name, info, err)
}

// StatSize implements ftp.Sizer.
func (j *joined) StatSize(ctx context.Context, name string) (fs.FileInfo, error) {
	p := j.of(name)
	info, err := p.StatSize(ctx, p.name)
	return j.described(p, name, info, err)
}

// described turns what the tree at p says of name into what is there: a directory if it leads to a
// mount.
func (j *joined) described(p place, name string, info fs.FileInfo, err error) (fs.FileInfo, error) {
	_, base := split(name)
	switch {
	case p.leads && (err == nil && !info.IsDir() || err != nil && absent(err)):
		return way{base, j.began}, nil
	case err == nil && p.mount:
		return withName(info, base), nil
	}
	return info, err
}

// absent reports whether err means that there is no such directory.
func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, ftp.ErrNotDir) }

// List implements ftp.FS.
func (j *joined) List(ctx context.Context, dir string) iter.Seq2[fs.FileInfo, error] {
	p := j.of(dir)
	if !p.leads {
		return p.List(ctx, p.name)
	}
	return func(yield func(fs.FileInfo, error) bool) {
		shown := j.children(dir) // name -> it is still to be shown
		for info, err := range p.List(ctx, p.name) {
			if err != nil && absent(err) {
				break
			}
			if err == nil && j.hides(shown, dir, info) {
				continue
			}
			if !yield(info, err) || err != nil {
				return
			}
		}
		for _, name := range slices.Sorted(maps.Keys(shown)) {
			if shown[name] && !yield(way{name, j.began}, nil) {
				return
			}
		}
	}
}

// children returns the names in dir that lead to mounts.
func (j *joined) children(dir string) map[string]bool {
	depth, names := depthOf(dir), map[string]bool{}
	for _, m := range j.trees[1:] {
		if len(m.elements) > depth && covers(m.elements[:depth], dir, j.fold) {
			names[m.elements[depth]] = true
		}
	}
	return names
}

// hides reports whether info, an entry of dir, is not shown: a mount is in its place, or a way to
// one in that of a file. A directory on the way is shown as what it is.
func (j *joined) hides(shown map[string]bool, dir string, info fs.FileInfo) bool {
	for name := range shown {
		if !matches(name, info.Name(), j.fold) {
			continue
		}
		if j.of(join(dir, name)).mount || !info.IsDir() {
			return true
		}
		shown[name] = false
	}
	return false
}

// Permitted implements ftp.Permitter.
func (j *joined) Permitted(name string, info fs.FileInfo) ftp.Perm {
	p := j.of(name)
	perm := p.Permitted(p.name, info)
	if p.mount || p.leads {
		perm &^= ftp.PermDelete | ftp.PermRename
	}
	if p.readOnly {
		perm &= ftp.PermRead | ftp.PermEnter
	}
	return perm
}

// Open implements ftp.FS.
func (j *joined) Open(ctx context.Context, name string, off int64) (io.ReadCloser, error) {
	p := j.of(name)
	if p.mount || p.leads {
		return nil, &fs.PathError{Op: "open", Path: name, Err: ftp.ErrIsDir}
	}
	return p.Open(ctx, p.name, off)
}

// Create implements ftp.FS.
func (j *joined) Create(ctx context.Context, name string, off int64) (ftp.Upload, error) {
	return j.create(name, func(p place) (ftp.Upload, error) { return p.Create(ctx, p.name, off) })
}

func (j *joined) create(name string, do func(p place) (ftp.Upload, error)) (ftp.Upload, error) {
	p, err := j.change("create", name)
	if p.mount || p.leads {
		err = &fs.PathError{Op: "create", Path: name, Err: ftp.ErrIsDir}
	}
	if err != nil {
		return nil, err
	}
	return do(p)
}

// CreateNew implements ftp.Keeper.
func (j *joined) CreateNew(ctx context.Context, name string, off int64, alone bool) (ftp.Upload, error) {
	return j.create(name, func(p place) (ftp.Upload, error) { return p.CreateNew(ctx, p.name, off, alone) })
}

// Remove implements ftp.FS.
func (j *joined) Remove(ctx context.Context, name string) error {
	p, err := j.change("remove", name)
	if err != nil {
		return err
	}
	return p.Remove(ctx, p.name)
}

// Mkdir implements ftp.FS. A directory on the way to a mount can be made, to store something in it.
func (j *joined) Mkdir(ctx context.Context, dir string) error {
	p, err := j.change("mkdir", dir)
	switch {
	case p.mount:
		return &fs.PathError{Op: "mkdir", Path: dir, Err: fs.ErrExist}
	case err != nil && !p.leads:
		return err
	}
	return p.Mkdir(ctx, p.name)
}

// Rmdir implements ftp.FS.
func (j *joined) Rmdir(ctx context.Context, dir string) error {
	p, err := j.change("rmdir", dir)
	if err != nil {
		return err
	}
	return p.Rmdir(ctx, p.name)
}

// Rename implements ftp.FS, within one tree.
func (j *joined) Rename(ctx context.Context, from, to string) error {
	return j.rename(from, to, func(p place, from, to string) error { return p.Rename(ctx, from, to) })
}

// RenameNew implements ftp.Keeper.
func (j *joined) RenameNew(ctx context.Context, from, to string, alone bool) error {
	return j.rename(from, to, func(p place, from, to string) error { return p.RenameNew(ctx, from, to, alone) })
}

func (j *joined) rename(from, to string, do func(p place, from, to string) error) error {
	old, err := j.change("rename", from)
	if err != nil {
		return err
	}
	p, err := j.change("rename", to)
	if err != nil {
		return err
	}
	if p.joint != old.joint {
		return refuse("rename", from, syscall.EXDEV, hintAcross)
	}
	return do(p, old.name, p.name)
}

// SetsTimes implements ftp.TimeTeller: one of the trees can.
func (j *joined) SetsTimes() bool {
	return slices.ContainsFunc(j.trees, func(one joint) bool { return !one.readOnly && one.SetsTimes() })
}

// SetModTime implements ftp.ModTimer.
func (j *joined) SetModTime(ctx context.Context, name string, when time.Time) error {
	p, err := j.change("chtimes", name)
	if err != nil {
		return err
	}
	return p.SetModTime(ctx, p.name, when)
}

// SetMode implements ftp.Moder.
func (j *joined) SetMode(ctx context.Context, name string, perm fs.FileMode) error {
	p, err := j.change("chmod", name)
	if err != nil {
		return err
	}
	return p.SetMode(ctx, p.name, perm)
}

// Hash implements ftp.Hasher.
func (j *joined) Hash(ctx context.Context, name, algorithm string) ([]byte, error) {
	p := j.of(name)
	if p.mount || p.leads {
		return nil, &fs.PathError{Op: "hash", Path: name, Err: ftp.ErrIsDir}
	}
	return p.Hash(ctx, p.name, algorithm)
}

// Free implements ftp.Spacer.
func (j *joined) Free(ctx context.Context, dir string) (int64, error) {
	p := j.of(dir)
	return p.Free(ctx, p.name)
}

// Limits implements ftp.Limited by the root.
func (j *joined) Limits() ftp.Limits { return j.trees[0].Limits() }
