package vfs

import (
	"context"
	"errors"
	"io/fs"

	"ferry/remote"
)

// part describes the unfinished upload of name that the owner left. One that is too old does not exist.
func (v *View) part(ctx context.Context, name string) (remote.Entry, error) {
	missing := &fs.PathError{Op: "stat", Path: name, Err: remote.ErrNotExist}
	if v.fs.stager == nil {
		return remote.Entry{}, missing
	}
	e, err := v.fs.stager.Part(ctx, name, v.owner)
	if err != nil {
		return remote.Entry{}, err
	}
	if v.expired(e) {
		return remote.Entry{}, missing
	}
	return e, nil
}

func (v *View) expired(part remote.Entry) bool {
	age := v.fs.opt.PartMaxAge
	return age > 0 && !part.ModTime.IsZero() && v.fs.ages.Exceed(part.ModTime, age)
}

// showsPart reports whether e, an unfinished upload found in dir, is listed as a file: it is the owner's, not too old,
// and there is no file of that name. That costs a Stat for each part of the owner.
func (v *View) showsPart(ctx context.Context, dir string, e remote.Entry) (bool, error) {
	if e.Part != v.owner || v.expired(e) {
		return false, nil
	}
	_, err := v.fs.shown.Stat(ctx, remote.Join(dir, e.Name))
	if errors.Is(err, remote.ErrNotExist) {
		return true, nil
	}
	return false, err
}

// explain replaces an error that says name does not exist where the client sees an unfinished upload of that name.
func (v *View) explain(ctx context.Context, op, name string, err error, hint string) error {
	if !errors.Is(err, remote.ErrNotExist) {
		return err
	}
	if _, partErr := v.part(ctx, name); partErr != nil {
		return err
	}
	return refuse(op, name, remote.ErrPermission, hint)
}
