package combine

import (
	"context"
	"errors"

	"ferry/remote"
)

// CheckTarget implements remote.TargetChecker. An upstream that is none is looked at.
func (r *Remote) CheckTarget(ctx context.Context, name string) error {
	p, err := r.findNew(ctx, name)
	switch {
	case err != nil:
	case p.up == nil || p.top():
		err = remote.ErrIsDir
	default:
		err = p.up.checkTarget(ctx, p.name)
	}
	return remote.Renamed("checktarget", name, err)
}

func (u *Upstream) checkTarget(ctx context.Context, name string) error {
	caps := u.Remote.Info().Caps
	if caps.ReadOnly {
		return remote.ErrPermission
	}
	err := remote.CheckTarget(ctx, u.Remote, name)
	if errors.Is(err, remote.ErrUnsupported) && !caps.ImplicitDirs {
		err = u.lookAt(ctx, name)
	}
	if !errors.Is(err, remote.ErrNotExist) {
		return err
	}
	if _, rootErr := u.Remote.Stat(ctx, "."); rootErr != nil {
		return remote.ErrUnsupported // what is not there yet says nothing
	}
	return err
}

// lookAt returns what a remote whose directories are made by themselves would say of a file that is
// stored as name.
func (u *Upstream) lookAt(ctx context.Context, name string) error {
	e, err := u.Remote.Stat(ctx, name)
	switch {
	case err == nil && e.Dir:
		return remote.ErrIsDir
	case !errors.Is(err, remote.ErrNotExist):
		return err
	}
	dir, _ := remote.Split(name)
	e, err = u.Remote.Stat(ctx, dir)
	if err == nil && !e.Dir {
		err = remote.ErrNotDir
	}
	return err
}
