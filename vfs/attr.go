package vfs

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"ferry/remote"
)

// SetModTime changes the modification time of name.
func (v *View) SetModTime(ctx context.Context, name string, t time.Time) (err error) {
	ctx, w := v.fs.guard(ctx, v.fs.forTreeChange())
	defer w.end(&err)
	name = v.actual(ctx, name)
	if err := v.writable("chtimes", name); err != nil {
		return err
	}
	if v.fs.opt.NoModTime {
		return refuse("chtimes", name, remote.ErrUnsupported, hintNoModTime)
	}
	ctx, release, err := v.fs.change(ctx, name)
	if err != nil {
		return err
	}
	defer release()
	err = remote.SetModTime(ctx, v.fs.top, name, t)
	v.fs.shown.doubt(name)
	return v.explain(ctx, "chtimes", name, unsupported("chtimes", name, err, hintSetTime), hintPart)
}

// SetMode changes the permission bits of name, on a remote that keeps them.
func (v *View) SetMode(ctx context.Context, name string, perm fs.FileMode) (err error) {
	ctx, w := v.fs.guard(ctx, v.fs.forTreeChange())
	defer w.end(&err)
	name = v.actual(ctx, name)
	if err := v.writable("chmod", name); err != nil {
		return err
	}
	ctx, release, err := v.fs.change(ctx, name)
	if err != nil {
		return err
	}
	defer release()
	err = remote.SetMode(ctx, v.fs.top, name, perm)
	v.fs.shown.doubt(name)
	return v.explain(ctx, "chmod", name, unsupported("chmod", name, err, hintModes), hintPart)
}

// Hash returns the raw digest of name's content, or errors.ErrUnsupported where the remote would have to read the file.
func (v *View) Hash(ctx context.Context, name, algorithm string) (sum []byte, err error) {
	ctx, w := v.fs.guard(ctx, forLongQuestion())
	defer w.end(&err)
	name = v.actual(ctx, name)
	sum, err = remote.Hash(ctx, v.fs.top, name, algorithm)
	if err != nil {
		return nil, v.explain(ctx, "hash", name, err, hintPart)
	}
	return sum, nil
}

// Free returns how many bytes can still be stored, below 0 when the remote does not know. It is the same in every
// directory.
func (v *View) Free(ctx context.Context, dir string) (free int64, err error) {
	ctx, w := v.fs.guard(ctx, forQuestion())
	defer w.end(&err)
	u, err := remote.GetUsage(ctx, v.fs.top)
	if errors.Is(err, remote.ErrUnsupported) {
		return -1, nil
	}
	return u.Free, err
}
