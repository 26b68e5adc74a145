package vfs

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"ferry/breaker"
	"ferry/remote"
)

// SetsTimes reports whether SetModTime can change the time of any file.
func (v *View) SetsTimes() bool { return !v.fs.opt.NoModTime && remote.SetsTimes(v.fs.top) }

// SetModTime changes the modification time of name.
func (v *View) SetModTime(ctx context.Context, name string, t time.Time) (err error) {
	ctx, w := v.fs.guard(ctx, v.fs.forTree)
	defer w.End(&err)
	name = v.actual(ctx, name)
	if err := v.writable("chtimes", name); err != nil {
		return err
	}
	if v.fs.opt.NoModTime {
		return refuse("chtimes", name, remote.ErrUnsupported, hintNoModTime)
	}
	err = remote.SetModTime(ctx, v.fs.top, name, t)
	if errors.Is(err, remote.ErrInvalid) {
		return refuse("chtimes", name, err, hintBadTime)
	}
	return v.explain(ctx, "chtimes", name, unsupported("chtimes", name, err, hintSetTime), hintPart)
}

// SetMode changes the permission bits of name, on a remote that keeps them.
func (v *View) SetMode(ctx context.Context, name string, perm fs.FileMode) (err error) {
	ctx, w := v.fs.guard(ctx, v.fs.forTree)
	defer w.End(&err)
	name = v.actual(ctx, name)
	if err := v.writable("chmod", name); err != nil {
		return err
	}
	err = remote.SetMode(ctx, v.fs.top, name, perm)
	return v.explain(ctx, "chmod", name, unsupported("chmod", name, err, hintModes), hintPart)
}

// Hash returns the raw digest of name's content, or errors.ErrUnsupported if the remote would have
// to read the file.
func (v *View) Hash(ctx context.Context, name, algorithm string) (sum []byte, err error) {
	ctx, w := v.fs.guard(ctx, breaker.ForLongQuery())
	defer w.End(&err)
	name = v.actual(ctx, name)
	sum, err = remote.Hash(ctx, v.fs.top, name, algorithm)
	if err != nil {
		return nil, v.explain(ctx, "hash", name, err, hintPart)
	}
	return sum, nil
}

// Space overrides how much can be stored, for remotes that do not know it or are wrong.
type Space struct {
	Total      int64 // bytes; 0 and below = what the remote reports
	UsedIsSize bool  // the used space is the sum of the sizes of all files, which requires listing them
}

// Free returns how many bytes can still be stored, below 0 if that is unknown. It is the same in
// every directory.
func (v *View) Free(ctx context.Context, dir string) (free int64, err error) {
	ctx, w := v.fs.guard(ctx, breaker.ForQuery())
	defer w.End(&err)
	u, err := remote.GetUsage(ctx, v.fs.top)
	if errors.Is(err, remote.ErrUnsupported) {
		u, err = remote.Usage{Total: -1, Used: -1, Free: -1}, nil
	}
	space := v.fs.opt.Space
	if err != nil || space.Total <= 0 && !space.UsedIsSize {
		return u.Free, err
	}
	if space.UsedIsSize {
		if u.Used, err = sizeBelow(ctx, v.fs.top, "."); err != nil {
			return -1, err
		}
	}
	if space.Total > 0 {
		u.Total = space.Total
	}
	if u.Total < 0 {
		return u.Free, nil
	}
	return max(u.Total-max(u.Used, 0), 0), nil
}

// sizeBelow returns the sum of the sizes of all files below dir.
func sizeBelow(ctx context.Context, r remote.Remote, dir string) (int64, error) {
	var (
		sum  int64
		dirs []string
	)
	for e, err := range r.List(ctx, dir) {
		switch {
		case err != nil:
			return 0, err
		case e.Dir:
			dirs = append(dirs, remote.Join(dir, e.Name))
		default:
			sum += max(e.Size, 0)
		}
	}
	for _, name := range dirs {
		n, err := sizeBelow(ctx, r, name)
		if err != nil && !errors.Is(err, remote.ErrNotExist) { // it may have been removed meanwhile
			return 0, err
		}
		sum += n
	}
	return sum, nil
}
