package union

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"ferry/remote"
)

// each makes a change on upstreams, on all at once. What failed on some and was done on others is
// an error that tells both.
func each(ups []*upstream, change func(u *upstream) error) error {
	errs := make([]error, len(ups))
	var wg sync.WaitGroup
	for i, u := range ups {
		wg.Go(func() { errs[i] = change(u) })
	}
	wg.Wait()
	return together(ups, errs)
}

// together makes one error of those of several upstreams, nil if none failed.
func together(ups []*upstream, errs []error) error {
	var failed error
	var bad []*upstream
	for i, err := range errs {
		if err != nil {
			failed = errors.Join(failed, ups[i].fail(err))
			bad = append(bad, ups[i])
		}
	}
	switch {
	case failed == nil:
		return nil
	case len(ups) == 1:
		return errs[0]
	}
	if done := namesOf(ups, bad); done != "" {
		return fmt.Errorf("%w; it was done on %s", failed, done)
	}
	return failed
}

// lock is what every change begins with.
func (r *Remote) lock(ctx context.Context, names ...string) (unlock func(), err error) {
	if err := remote.Check(ctx, names...); err != nil {
		return nil, err
	}
	return r.names.Change(ctx, names...)
}

// Remove implements remote.Remote. A file that an upstream has which may not be changed stays, and
// with it the others.
func (r *Remote) Remove(ctx context.Context, name string) error {
	return remote.Renamed("remove", name, r.remove(ctx, name))
}

func (r *Remote) remove(ctx context.Context, name string) error {
	unlock, err := r.lock(ctx, name)
	if err != nil {
		return err
	}
	defer unlock()
	l, err := r.known(ctx, name)
	if err != nil {
		return err
	}
	holders := l.holders()
	switch {
	case len(holders) == 0:
		return l.missing()
	case r.prefer(ctx, r.o.Search, holders).entry.Dir:
		return remote.ErrIsDir
	}
	if err := checkWritable(holders); err != nil {
		return err
	}
	chosen := r.choose(ctx, r.o.Action, changeable(holders))
	seen := r.prefer(ctx, r.o.Search, chosen)
	// The file that is seen goes last: when another one stays, no older content shows in its place.
	hidden := slices.DeleteFunc(slices.Clone(chosen), func(h *held) bool { return h == seen })
	if err := each(upstreamsOf(hidden), func(u *upstream) error { return gone(u.Remote.Remove(ctx, name)) }); err != nil {
		return err
	}
	err = gone(seen.up.Remote.Remove(ctx, name))
	if err != nil && len(hidden) > 0 {
		err = fmt.Errorf("%w; it was done on %s", seen.up.fail(err), namesOf(upstreamsOf(hidden), nil))
	}
	return err
}

// checkWritable returns ErrPermission if one of the holders may not be changed.
func checkWritable(holders []*held) error {
	for _, h := range holders {
		if h.up.readOnly() {
			return fmt.Errorf("%w: it is also in %s, which is read-only", remote.ErrPermission, h.up.name())
		}
	}
	return nil
}

// gone takes what somebody else has removed meanwhile for removed.
func gone(err error) error {
	if errors.Is(err, remote.ErrNotExist) {
		return nil
	}
	return err
}

// Mkdir implements remote.Remote.
func (r *Remote) Mkdir(ctx context.Context, dir string) error {
	return remote.Renamed("mkdir", dir, r.mkdir(ctx, dir))
}

func (r *Remote) mkdir(ctx context.Context, dir string) error {
	unlock, err := r.lock(ctx, dir)
	if err != nil {
		return err
	}
	defer unlock()
	l, err := r.known(ctx, dir)
	switch {
	case err != nil:
		return err
	case len(l.holders()) > 0:
		return remote.ErrExist
	}
	ups, err := r.newIn(ctx, dir)
	if err != nil {
		return err
	}
	if c := r.claimed(dir); c != nil { // that upload is to find the directory in its way
		ups = c.ups
	}
	return each(ups, func(u *upstream) error { return u.Remote.Mkdir(ctx, dir) })
}

// Rmdir implements remote.Remote. A directory is removed from all upstreams, if it is empty in all.
// So is what is kept of uploads into it in those that do not have it.
func (r *Remote) Rmdir(ctx context.Context, dir string) error {
	return remote.Renamed("rmdir", dir, r.rmdir(ctx, dir))
}

func (r *Remote) rmdir(ctx context.Context, dir string) error {
	unlock, err := r.lock(ctx, dir)
	if err != nil {
		return err
	}
	defer unlock()
	l, err := r.known(ctx, dir)
	if err != nil {
		return err
	}
	holders := l.holders()
	switch {
	case dir == ".":
		return remote.ErrPermission
	case len(holders) == 0:
		_ = each(l.without(), func(u *upstream) error { return u.Remote.Rmdir(ctx, dir) })
		return l.missing()
	case !r.prefer(ctx, r.o.Search, holders).entry.Dir:
		return remote.ErrNotDir
	}
	ups := upstreamsOf(slices.DeleteFunc(holders, func(h *held) bool { return !h.entry.Dir }))
	for _, u := range ups {
		for e, err := range u.Remote.List(ctx, dir) {
			if gone(err) != nil {
				return u.fail(err)
			}
			if err == nil && e.Part == "" {
				return remote.ErrNotEmpty
			}
		}
	}
	if err := checkWritable(l.holders()); err != nil {
		return err
	}
	return each(append(ups, l.without()...), func(u *upstream) error { return gone(u.Remote.Rmdir(ctx, dir)) })
}
