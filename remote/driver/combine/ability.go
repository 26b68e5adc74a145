package combine

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"ferry/remote"
)

// Move implements remote.Mover. From one upstream to another is ErrUnsupported.
func (r *Remote) Move(ctx context.Context, from, to string) error {
	a, b, err := r.both(ctx, from, to)
	switch {
	case err != nil:
	case from == to:
		_, err = r.Stat(ctx, from)
	case a.up == nil || a.top():
		err = remote.ErrPermission
	case a.up != b.up:
		err = remote.ErrUnsupported
	default:
		err = remote.Move(a.up.uploads(ctx), a.up.Remote, a.name, b.name)
	}
	return remote.Renamed("move", from, err)
}

// Copy implements remote.Copier. From one upstream to another is ErrUnsupported.
func (r *Remote) Copy(ctx context.Context, from, to string) error {
	a, b, err := r.both(ctx, from, to)
	switch {
	case err != nil:
	case a.up == nil || b.up == nil:
		err = remote.ErrIsDir
	case a.up != b.up:
		err = remote.ErrUnsupported
	default:
		err = remote.Copy(a.up.uploads(ctx), a.up.Remote, a.name, b.name)
	}
	return remote.Renamed("copy", from, err)
}

// both finds two names, the second of which may be new. A first one that is missing is what counts.
func (r *Remote) both(ctx context.Context, from, to string) (a, b place, err error) {
	a, err = r.find(ctx, from)
	if err == nil {
		b, err = r.findNew(ctx, to)
	}
	if err != nil && a.up != nil && remote.ValidPath(to) {
		if _, missing := a.up.Remote.Stat(ctx, a.name); missing != nil {
			err = missing
		}
	}
	return a, b, err
}

// CheckName implements remote.NameChecker.
func (r *Remote) CheckName(name string) error {
	p, err := r.find(context.Background(), name)
	if err == nil && p.up != nil {
		err = remote.CheckName(p.up.Remote, p.name)
	}
	if errors.Is(err, remote.ErrNotExist) {
		return nil // whether something can be made there is not a question of its name
	}
	return remote.Renamed("checkname", name, err)
}

// SetsTimes implements remote.TimeTeller.
func (r *Remote) SetsTimes() bool {
	return slices.ContainsFunc(r.upstreams, func(u Upstream) bool { return remote.SetsTimes(u.Remote) })
}

// SetModTime implements remote.ModTimer.
func (r *Remote) SetModTime(ctx context.Context, name string, t time.Time) error {
	p, err := r.ability(ctx, name)
	if err == nil {
		err = remote.SetModTime(p.up.uploads(ctx), p.up.Remote, p.name, t)
	}
	return remote.Renamed("setmodtime", name, err)
}

// CheckTime implements remote.TimeChecker.
func (r *Remote) CheckTime(name string, t time.Time) error {
	p, err := r.ability(context.Background(), name)
	if err == nil {
		err = remote.CheckTime(p.up.Remote, p.name, t)
	}
	return remote.Renamed("checktime", name, err)
}

// SetMode implements remote.Moder.
func (r *Remote) SetMode(ctx context.Context, name string, perm fs.FileMode) error {
	p, err := r.ability(ctx, name)
	if err == nil {
		err = remote.SetMode(ctx, p.up.Remote, p.name, perm)
	}
	return remote.Renamed("setmode", name, err)
}

// Hash implements remote.Hasher.
func (r *Remote) Hash(ctx context.Context, name, algorithm string) ([]byte, error) {
	p, err := r.ability(ctx, name)
	if err != nil {
		return nil, remote.Renamed("hash", name, err)
	}
	sum, err := remote.Hash(ctx, p.up.Remote, p.name, algorithm)
	return sum, remote.Renamed("hash", name, err)
}

// ability finds what one of the optional interfaces is asked about.
func (r *Remote) ability(ctx context.Context, name string) (place, error) {
	p, err := r.find(ctx, name)
	if err == nil && p.up == nil {
		err = remote.ErrUnsupported
	}
	return p, err
}

// Usage implements remote.Usager: the sum of all upstreams. What one of them does not know is
// unknown.
func (r *Remote) Usage(ctx context.Context) (remote.Usage, error) {
	var sum remote.Usage
	known := false
	for _, u := range r.upstreams {
		one, err := remote.GetUsage(ctx, u.Remote)
		switch {
		case errors.Is(err, remote.ErrUnsupported):
			one = remote.Usage{Total: -1, Used: -1, Free: -1}
		case err != nil:
			return remote.Usage{Total: -1, Used: -1, Free: -1}, remote.Renamed("usage", ".", err)
		default:
			known = true
		}
		sum = remote.Usage{Total: plus(sum.Total, one.Total), Used: plus(sum.Used, one.Used), Free: plus(sum.Free, one.Free)}
	}
	if !known {
		return remote.Usage{Total: -1, Used: -1, Free: -1}, remote.Renamed("usage", ".", remote.ErrUnsupported)
	}
	return sum, nil
}

func plus(a, b int64) int64 {
	if a < 0 || b < 0 {
		return -1
	}
	return a + b
}
