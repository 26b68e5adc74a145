package retry

import (
	"context"
	"errors"
	"sync/atomic"

	"ferry/remote"
)

// doubting returns a context for a call that notes when it is in doubt, and reports it as ctx
// would.
func doubting(ctx context.Context) (context.Context, *atomic.Bool) {
	doubt := new(atomic.Bool)
	return remote.WithUnanswered(ctx, func() {
		doubt.Store(true)
		remote.Unanswered(ctx)
	}), doubt
}

// Remove implements remote.Remote.
func (r *Remote) Remove(ctx context.Context, name string) error {
	return r.vanish(ctx, "remove", name, r.Forward.Remove)
}

// Rmdir implements remote.Remote.
func (r *Remote) Rmdir(ctx context.Context, dir string) error {
	return r.vanish(ctx, "rmdir", dir, r.Forward.Rmdir)
}

// vanish repeats a call that makes name go away. Once one was sent and not answered, it is not made
// again: the name may have gone, and what has it now be new. If nothing has it, that is a success.
func (r *Remote) vanish(ctx context.Context, op, name string, call func(ctx context.Context, name string) error) error {
	ctx, doubt := doubting(ctx)
	var lost error
	return r.repeat(ctx, op, name, func(before int) error {
		if doubt.Load() {
			_, err := r.Stat(ctx, name)
			if errors.Is(err, remote.ErrNotExist) {
				return nil
			}
			return unsure(op, name, lost, err)
		}
		lost = call(ctx, name)
		if (before > 0 || doubt.Load()) && errors.Is(lost, remote.ErrNotExist) {
			return nil
		}
		return lost
	})
}

// RemoveVersion implements remote.VersionRemover. It can be repeated: it removes nothing that is
// new.
func (r *Remote) RemoveVersion(ctx context.Context, name, version string) error {
	ctx, doubt := doubting(ctx)
	return r.repeat(ctx, "remove", name, func(before int) error {
		err := r.Forward.RemoveVersion(ctx, name, version)
		if (before > 0 || doubt.Load()) && errors.Is(err, remote.ErrNotExist) {
			return nil
		}
		return err
	})
}

// Mkdir implements remote.Remote.
func (r *Remote) Mkdir(ctx context.Context, dir string) error {
	ctx, doubt := doubting(ctx)
	return r.repeat(ctx, "mkdir", dir, func(before int) error {
		err := r.Forward.Mkdir(ctx, dir)
		if (before > 0 || doubt.Load()) && errors.Is(err, remote.ErrExist) {
			if e, statErr := r.Stat(ctx, dir); statErr == nil && e.Dir {
				return nil
			}
		}
		return err
	})
}

// Move implements remote.Mover. When a repetition does not find what it should move, or finds the
// new name taken, it looks whether the call before has moved it. One that was sent and not answered
// is repeated only when that cannot move what is new over what was moved.
func (r *Remote) Move(ctx context.Context, from, to string) error {
	ctx, doubt := doubting(ctx)
	var lost error
	return r.repeat(ctx, "move", from, func(before int) error {
		if doubt.Load() {
			if done, err := r.lookMoved(ctx, from, to, lost); done || err != nil {
				return err
			}
		}
		lost = r.Forward.Move(ctx, from, to)
		refused := errors.Is(lost, remote.ErrNotExist) || errors.Is(lost, remote.ErrExist)
		if (before > 0 || doubt.Load()) && refused && r.moved(ctx, from, to) {
			return nil
		}
		return lost
	})
}

func (r *Remote) moved(ctx context.Context, from, to string) bool {
	_, err := r.Stat(ctx, to)
	if err != nil {
		return false
	}
	_, err = r.Stat(ctx, from)
	return errors.Is(err, remote.ErrNotExist)
}

// lookMoved finds out what a Move has done that failed with lost. If it is neither done nor an
// error, it can be repeated.
func (r *Remote) lookMoved(ctx context.Context, from, to string, lost error) (done bool, err error) {
	old, oldErr := r.Stat(ctx, from)
	now, nowErr := r.Stat(ctx, to)
	for _, err := range []error{oldErr, nowErr} {
		if err != nil && !errors.Is(err, remote.ErrNotExist) {
			return false, unsure("move", from, lost, err)
		}
	}
	switch {
	case oldErr != nil && nowErr == nil:
		return true, nil
	case oldErr == nil && nowErr != nil:
		return false, nil
	case oldErr == nil && (old.Dir || old.ID != 0 && old.ID == now.ID):
		return false, nil // a directory replaces nothing, and what has both names is one file
	}
	return false, unsure("move", from, lost, nil)
}
