package union

import (
	"context"
	"errors"
	"sync"

	"ferry/remote"
)

// held is what one upstream says of a name.
type held struct {
	up    *upstream
	entry remote.Entry
	err   error // nil = it has the name
}

// absent reports whether the upstream certainly does not have the name.
func (h *held) absent() bool { return absent(h.err) }

func absent(err error) bool {
	return errors.Is(err, remote.ErrNotExist) || errors.Is(err, remote.ErrNotDir) || errors.Is(err, remote.ErrBadName)
}

// looked is what all upstreams say of a name, in their order.
type looked []held

// look asks all upstreams for a name, at once.
func (r *Remote) look(ctx context.Context, name string) looked {
	all := make(looked, len(r.ups))
	var wg sync.WaitGroup
	for i, u := range r.ups {
		wg.Go(func() {
			e, err := u.Remote.Stat(ctx, name)
			for i := 0; i < tries && lost(err); i++ {
				e, err = u.Remote.Stat(ctx, name)
			}
			all[i] = held{u, e, err}
		})
	}
	wg.Wait()
	return all
}

// holders returns those that have the name.
func (l looked) holders() []*held {
	var all []*held
	for i := range l {
		if l[i].err == nil {
			all = append(all, &l[i])
		}
	}
	return all
}

// unknown returns why it is not known whether an upstream has the name, nil if it is known of all.
func (l looked) unknown() error {
	for i := range l {
		if l[i].err != nil && !l[i].absent() {
			return l[i].up.fail(l[i].err)
		}
	}
	return nil
}

// without returns the upstreams that do not have the directory that was looked for, and may have
// kept uploads into it all the same.
func (l looked) without() []*upstream {
	var ups []*upstream
	for i := range l {
		u := l[i].up
		caps := u.Remote.Info().Caps
		if errors.Is(l[i].err, remote.ErrNotExist) && caps.ImplicitDirs && !caps.NoParts && !u.readOnly() {
			ups = append(ups, u)
		}
	}
	return ups
}

// missing is the error of a name that nobody has, or of which nothing is known.
func (l looked) missing() error {
	if err := l.unknown(); err != nil {
		return err
	}
	err := l[0].err
	for i := range l {
		switch {
		case errors.Is(l[i].err, remote.ErrNotDir):
			return remote.ErrNotDir
		case !errors.Is(l[i].err, remote.ErrBadName):
			err = remote.ErrNotExist
		}
	}
	return err
}

// find returns the holder of a name that is seen, although others may not answer.
func (r *Remote) find(ctx context.Context, name string) (*held, error) {
	h, _, err := r.found(ctx, name)
	return h, err
}

// found is find that also returns all holders.
func (r *Remote) found(ctx context.Context, name string) (*held, []*held, error) {
	if err := remote.Check(ctx, name); err != nil {
		return nil, nil, err
	}
	l := r.look(ctx, name)
	all := l.holders()
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	if len(all) == 0 {
		return nil, nil, l.missing()
	}
	return r.prefer(ctx, r.o.Search, all), all, nil
}

// known is look for changes: all upstreams must have answered.
func (r *Remote) known(ctx context.Context, name string) (looked, error) {
	l := r.look(ctx, name)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return l, l.unknown()
}
