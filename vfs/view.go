package vfs

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"iter"

	"ferry/breaker"
	"ferry/remote"
)

// A View is the tree as one owner sees it. Names obey io/fs.ValidPath, but need not be UTF-8; "."
// is the root. Its methods may be called concurrently.
type View struct {
	fs    *FS
	user  string // the common prefix of the user's tags from all addresses
	owner string // the owner tag of remote.Stager
}

// Stat describes name. If there is no such file, the owner's unfinished upload of that name is
// shown as one.
func (v *View) Stat(ctx context.Context, name string) (info fs.FileInfo, err error) {
	ctx, w := v.fs.guard(ctx, breaker.ForQuery())
	defer w.End(&err)
	name = v.actual(ctx, name)
	waiting, node := v.elsewhere(ctx, name)
	e, err := v.fs.shown.Stat(ctx, name)
	switch {
	case !errors.Is(err, remote.ErrNotExist):
		node = ""
	case node != "":
		e, err = waiting, nil
	default:
		p, partErr := v.part(ctx, name)
		if partErr == nil || !errors.Is(partErr, remote.ErrNotExist) {
			e, err = p, partErr
		}
	}
	v.tell(name, e, err)
	if err != nil {
		return nil, err
	}
	dir, _ := remote.Split(name)
	i := v.fs.info(dir, e)
	i.node = node
	return i, nil
}

// tell notes what the owner is told of name.
func (v *View) tell(name string, e remote.Entry, err error) {
	switch {
	case v.fs.top.Info().Caps.NoParts:
	case err == nil && e.Part != "":
		v.fs.told.set(v.owner, name, e.Size)
	case err == nil:
		v.fs.told.clear(v.owner, name)
	case errors.Is(err, remote.ErrNotExist):
		v.fs.told.set(v.owner, name, noPart)
	}
}

// StatSize is Stat for callers that need only the size of a file; see remote.SizeOnly.
func (v *View) StatSize(ctx context.Context, name string) (fs.FileInfo, error) {
	return v.Stat(remote.WithSizeOnly(ctx), name)
}

// List yields the entries of dir in the order of the remote, including the owner's unfinished
// uploads if no file has their name. The first error ends it.
func (v *View) List(ctx context.Context, dir string) iter.Seq2[fs.FileInfo, error] {
	return func(yield func(fs.FileInfo, error) bool) {
		ctx, w := v.fs.guard(ctx, breaker.ForLongQuery())
		wanted := true
		err := v.list(ctx, dir, func(info fs.FileInfo) bool {
			w.Pause()
			defer w.Resume()
			wanted = yield(info, nil)
			return wanted
		})
		w.End(&err)
		if err != nil && wanted {
			yield(nil, err)
		}
	}
}

// list passes each entry of dir to yield, until that returns false.
func (v *View) list(ctx context.Context, dir string, yield func(fs.FileInfo) bool) error {
	dir = v.actual(ctx, dir)
	for e, err := range v.entries(ctx, dir) {
		if err != nil {
			return err
		}
		if !yield(v.fs.info(dir, e)) {
			return nil
		}
	}
	return nil
}

// Remove deletes the file called name, and the owner's unfinished upload of it, so that a deleted
// file does not reappear as a part. If there is only the part, the part is deleted.
func (v *View) Remove(ctx context.Context, name string) (err error) {
	ctx, w := v.fs.guard(ctx, breaker.ForChange())
	defer w.End(&err)
	name = v.actual(ctx, name)
	if err := v.writable("remove", name); err != nil {
		return err
	}
	_, node := v.elsewhere(ctx, name)
	err = v.fs.top.Remove(ctx, name)
	missing := errors.Is(err, remote.ErrNotExist)
	if missing && node != "" {
		return waitsElsewhere("remove", name, node)
	}
	v.dropElsewhere(name, err)
	if err == nil || missing {
		v.fs.interrupted.clear(v.uploads(name), v.owner)
		v.fs.told.clear(v.owner, name)
	}
	if err != nil && !missing {
		return err
	}
	owner := v.owner
	if missing {
		p, has, partErr := found(v.part(ctx, name))
		if !has {
			return cmp.Or(partErr, err)
		}
		owner = p.Part
	}
	if dropErr := v.fs.top.DropPart(ctx, name, owner); missing || !errors.Is(dropErr, remote.ErrNotExist) {
		return dropErr
	}
	return nil
}

// Rename renames a file or directory. A file replaces a file of that name.
func (v *View) Rename(ctx context.Context, from, to string) (err error) {
	return v.rename(ctx, from, to, v.fs.top.Move)
}

// RenameNew is Rename to a name that there must not be: if there is one, the error is ErrExist.
// With alone an upload of that name that is in progress counts as a file.
func (v *View) RenameNew(ctx context.Context, from, to string, alone bool) error {
	return v.rename(ctx, from, to, func(ctx context.Context, from, to string) error {
		end, ok := v.fs.interrupted.begin(v.key(to), v.owner, alone)
		if !ok {
			return &fs.PathError{Op: "rename", Path: to, Err: remote.ErrExist}
		}
		defer end()
		return v.fs.top.MoveNew(ctx, from, to)
	})
}

func (v *View) rename(ctx context.Context, from, to string, move func(ctx context.Context, from, to string) error) (err error) {
	ctx, w := v.fs.guard(ctx, breaker.ForLongChange())
	defer w.End(&err)
	from = v.actual(ctx, from)
	to = v.actualTarget(ctx, from, to)
	if err := v.allowRename(ctx, from, to); err != nil {
		return err
	}
	_, node := v.elsewhere(ctx, from)
	err = move(ctx, from, to)
	v.dropElsewhere(from, err)
	if errors.Is(err, remote.ErrNotExist) && node != "" {
		return waitsElsewhere("rename", from, node)
	}
	if err != nil {
		err = unsupported("rename", from, err, hintDirRename)
		return v.explain(ctx, "rename", from, err, hintPartRename)
	}
	v.dropInterrupted(ctx, to)
	v.fs.interrupted.stored(v.uploads(to), v.owner)
	return nil
}

// allowRename returns an error if from may not be renamed to to.
func (v *View) allowRename(ctx context.Context, from, to string) error {
	if err := v.writable("rename", from); err != nil || v.fs.opt.AllowCreate == nil {
		return err
	}
	info, err := v.Stat(ctx, from)
	if err != nil {
		return err
	}
	return v.fs.opt.AllowCreate(ctx, to, info.IsDir())
}

// Mkdir creates the directory dir; one that exists is fs.ErrExist.
func (v *View) Mkdir(ctx context.Context, dir string) (err error) {
	ctx, w := v.fs.guard(ctx, v.fs.forTree)
	defer w.End(&err)
	dir = v.actual(ctx, dir)
	if err := v.allowCreate(ctx, "mkdir", dir, true); err != nil {
		return err
	}
	return v.fs.top.Mkdir(ctx, dir)
}

// Rmdir removes the empty directory dir.
func (v *View) Rmdir(ctx context.Context, dir string) (err error) {
	ctx, w := v.fs.guard(ctx, v.fs.forTree)
	defer w.End(&err)
	dir = v.actual(ctx, dir)
	if err := v.writable("rmdir", dir); err != nil {
		return err
	}
	_, node := v.elsewhere(ctx, dir)
	err = v.fs.top.Rmdir(ctx, dir)
	if errors.Is(err, remote.ErrNotExist) && node != "" {
		return waitsElsewhere("rmdir", dir, node)
	}
	return err
}

// Close does nothing: a view has no resources of its own, and the remote is shared by all views.
func (v *View) Close() error { return nil }
