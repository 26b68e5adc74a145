package union

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"ferry/remote"
)

// CheckName implements remote.NameChecker: a name must fit every upstream that can be changed.
func (r *Remote) CheckName(name string) error {
	return remote.Renamed("checkname", name, r.checkName(name))
}

// onAll makes a change of a file on the upstreams that the action policy chooses.
func (r *Remote) onAll(ctx context.Context, name string, change func(u *upstream) error) error {
	if err := remote.Check(ctx, name); err != nil {
		return err
	}
	l, err := r.known(ctx, name)
	if err != nil {
		return err
	}
	holders := l.holders()
	if len(holders) == 0 {
		return l.missing()
	}
	if err := checkWritable(holders); err != nil {
		return err
	}
	return each(upstreamsOf(r.choose(ctx, r.o.Action, holders)), change)
}

// SetsTimes implements remote.TimeTeller.
func (r *Remote) SetsTimes() bool {
	return slices.ContainsFunc(r.ups, func(u *upstream) bool { return !u.readOnly() && remote.SetsTimes(u.Remote) })
}

// SetModTime implements remote.ModTimer.
func (r *Remote) SetModTime(ctx context.Context, name string, t time.Time) error {
	if err := r.CheckTime(name, t); err != nil && !errors.Is(err, remote.ErrUnsupported) {
		return err
	}
	return remote.Renamed("setmodtime", name, r.onAll(ctx, name, func(u *upstream) error {
		return remote.SetModTime(u.uploads(ctx), u.Remote, name, t)
	}))
}

// SetMode implements remote.Moder.
func (r *Remote) SetMode(ctx context.Context, name string, perm fs.FileMode) error {
	return remote.Renamed("setmode", name, r.onAll(ctx, name, func(u *upstream) error {
		return remote.SetMode(ctx, u.Remote, name, perm)
	}))
}

// CheckTime implements remote.TimeChecker: what one upstream cannot keep is ErrInvalid.
func (r *Remote) CheckTime(name string, t time.Time) error {
	var unsure error
	for _, u := range r.ups {
		if u.readOnly() {
			continue
		}
		switch err := remote.CheckTime(u.Remote, name, t); {
		case errors.Is(err, remote.ErrUnsupported):
			unsure = err
		case err != nil:
			return remote.Renamed("checktime", name, u.fail(err))
		}
	}
	return remote.Renamed("checktime", name, unsure)
}
