package vfs

import (
	"context"
	"errors"
	"io/fs"
	"iter"

	"ferry/remote"
)

// A View is the tree as one owner sees it. Names obey io/fs.ValidPath, but need not be UTF-8; "." is the root. Its
// methods may be called concurrently.
type View struct {
	fs    *FS
	owner string // the tag of Stager
}

// Stat describes name. Where there is no such file, an own unfinished upload of that name is shown as one.
func (v *View) Stat(ctx context.Context, name string) (fs.FileInfo, error) {
	name = v.actual(ctx, name)
	e, err := v.fs.shown.Stat(ctx, name)
	if errors.Is(err, remote.ErrNotExist) {
		p, partErr := v.part(ctx, name)
		if partErr == nil || !errors.Is(partErr, remote.ErrNotExist) {
			e, err = p, partErr
		}
	}
	if err != nil {
		return nil, err
	}
	return v.fs.info(e), nil
}

// List yields the entries of dir as the remote gives them, own unfinished uploads among them where no file has their
// name. The first error ends it.
func (v *View) List(ctx context.Context, dir string) iter.Seq2[fs.FileInfo, error] {
	return func(yield func(fs.FileInfo, error) bool) {
		dir := v.actual(ctx, dir)
		for e, err := range v.fs.shown.List(ctx, dir) {
			if err != nil {
				yield(nil, err)
				return
			}
			if e.Part != "" {
				show, err := v.showsPart(ctx, dir, e)
				if err != nil {
					yield(nil, err)
					return
				}
				if !show {
					continue
				}
			}
			if !yield(v.fs.info(e), nil) {
				return
			}
		}
	}
}

// Remove deletes the file called name, and with it what the owner left of an upload of it, so that a deleted file does
// not come back as a part. Where there is only the part, that is what is deleted.
func (v *View) Remove(ctx context.Context, name string) error {
	name = v.actual(ctx, name)
	if err := v.writable("remove", name); err != nil {
		return err
	}
	err := v.fs.top.Remove(ctx, name)
	missing := errors.Is(err, remote.ErrNotExist)
	if err == nil || missing {
		v.fs.shown.removed(name)
		v.fs.cuts.forget(v.owner, name)
	} else {
		v.fs.shown.uncertain(name)
	}
	if (err != nil && !missing) || v.fs.stager == nil {
		return err
	}
	if missing {
		if _, err := v.part(ctx, name); err != nil {
			return err
		}
	}
	if dropErr := v.fs.stager.DropPart(ctx, name, v.owner); missing || !errors.Is(dropErr, remote.ErrNotExist) {
		return dropErr
	}
	return nil
}

// Rename gives a file or directory another name. A file replaces a file of that name.
func (v *View) Rename(ctx context.Context, from, to string) error {
	from = v.actual(ctx, from)
	to = v.actualTarget(ctx, from, to)
	if err := v.mayRename(ctx, from, to); err != nil {
		return err
	}
	err := remote.Move(ctx, v.fs.top, from, to)
	if err != nil {
		v.fs.shown.uncertain(from)
		v.fs.shown.uncertain(to)
		err = unsupported("rename", from, err, hintDirRename)
		return v.explain(ctx, "rename", from, err, hintPartRename)
	}
	v.fs.shown.renamed(from, to)
	v.fs.cuts.forget(v.owner, to)
	return nil
}

// Mkdir creates the directory dir; one that exists is fs.ErrExist.
func (v *View) Mkdir(ctx context.Context, dir string) error {
	dir = v.actual(ctx, dir)
	if err := v.mayMake(ctx, "mkdir", dir, true); err != nil {
		return err
	}
	err := v.fs.top.Mkdir(ctx, dir)
	if err != nil {
		v.fs.shown.uncertain(dir)
		return err
	}
	v.fs.shown.madeDir(dir)
	return nil
}

// Rmdir removes the empty directory dir.
func (v *View) Rmdir(ctx context.Context, dir string) error {
	dir = v.actual(ctx, dir)
	if err := v.writable("rmdir", dir); err != nil {
		return err
	}
	err := v.fs.top.Rmdir(ctx, dir)
	if err != nil {
		v.fs.shown.uncertain(dir)
		return err
	}
	v.fs.shown.removedDir(dir)
	return nil
}

// Close does nothing: a view holds nothing of its own, and the remote belongs to all of them.
func (v *View) Close() error { return nil }
