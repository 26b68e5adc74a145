package vfs

import (
	"context"
	"errors"
	"io/fs"

	"ferry/breaker"
	"ferry/ftp"
	"ferry/remote"
)

// AtEnd is the offset of Create that means: behind the last byte.
const AtEnd = ftp.AtEnd

// The difference must be 0: offsets are handed on to the remote.
const _ = -uint(AtEnd - remote.AtEnd)

// Create starts an upload at byte off: 0 replaces the file, AtEnd appends to it, else the upload
// continues behind the first off bytes of the file or of the own unfinished upload. The old content
// survives until Commit; when that returns nil, everybody sees the file, and the remote has it, or
// will have it as WriteAck says. Abort keeps what was written for the owner to continue, with a
// cache or on a remote that can stage. What can be refused is refused here, before a byte is taken.
// ctx governs the upload until Commit is called. The upload is an io.ReaderFrom where the remote
// can receive without a copy.
func (v *View) Create(ctx context.Context, name string, off int64) (u ftp.Upload, err error) {
	ctx, w := v.fs.guard(ctx, breaker.ForLongQuery())
	defer w.Settle(&err)
	name = v.actual(ctx, name)
	if err := v.mayMake(ctx, "create", name, false); err != nil {
		return nil, err
	}
	if off < 0 && off != AtEnd {
		return nil, refuse("create", name, remote.ErrInvalid, "An offset below 0 makes no sense.")
	}
	if v.fs.stream != nil {
		return v.createStreamed(ctx, name, off)
	}
	o := remote.StageOptions{Owner: v.owner}
	if off != 0 {
		if o, err = v.continuation(ctx, name, off); err != nil {
			return nil, err
		}
	}
	return v.startStaged(ctx, name, o)
}

// createStreamed starts an upload to a remote that takes whole files only.
func (v *View) createStreamed(ctx context.Context, name string, off int64) (ftp.Upload, error) {
	file, exists, err := found(v.fs.top.Stat(ctx, name))
	switch {
	case err != nil:
		return nil, err
	case file.Dir:
		return nil, &fs.PathError{Op: "create", Path: name, Err: remote.ErrIsDir}
	case file.ReadOnly:
		return nil, &fs.PathError{Op: "create", Path: name, Err: remote.ErrPermission}
	case off > 0, off == AtEnd && exists && file.Size != 0:
		return nil, refuse("create", name, remote.ErrUnsupported, hintContinue)
	case !exists && !v.fs.caps.ImplicitDirs:
		if err := v.checkParent(ctx, name); err != nil {
			return nil, err
		}
	}
	s, err := v.fs.stream(ctx, name)
	if err != nil {
		return nil, err
	}
	return &staged{view: v, name: name, stage: s, ended: func() {}}, nil
}

// checkParent makes sure that there is a directory for name to be created in.
func (v *View) checkParent(ctx context.Context, name string) error {
	dir, _ := remote.Split(name)
	parent, err := v.fs.shown.Stat(ctx, dir)
	if err != nil {
		return err
	}
	if !parent.Dir {
		return &fs.PathError{Op: "create", Path: name, Err: remote.ErrNotDir}
	}
	return nil
}

// found turns the error that says something does not exist into a value.
func found(e remote.Entry, err error) (remote.Entry, bool, error) {
	if errors.Is(err, remote.ErrNotExist) {
		return remote.Entry{}, false, nil
	}
	return e, err == nil, err
}

// writable returns the error of a change to a tree that cannot be changed.
func (v *View) writable(op, name string) error {
	if v.fs.readOnly() {
		return refuse(op, name, remote.ErrPermission, hintReadOnly)
	}
	return nil
}

// mayMake returns the error of making a file or directory that may not be.
func (v *View) mayMake(ctx context.Context, op, name string, dir bool) error {
	if err := v.writable(op, name); err != nil || v.fs.opt.MayMake == nil {
		return err
	}
	return v.fs.opt.MayMake(ctx, name, dir)
}

// mayRename returns the error of giving from a name that it may not have.
func (v *View) mayRename(ctx context.Context, from, to string) error {
	if err := v.writable("rename", from); err != nil || v.fs.opt.MayMake == nil {
		return err
	}
	info, err := v.Stat(ctx, from)
	if err != nil {
		return err
	}
	return v.fs.opt.MayMake(ctx, to, info.IsDir())
}
