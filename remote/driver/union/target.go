package union

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"ferry/remote"
)

// A claim is a name that is being stored. Uploads of one name at a time go to the same upstreams,
// whatever the policy would choose for each.
type claim struct {
	ups   []*upstream // constant
	users int         // guarded by Remote.mu
}

// claim returns the upstreams that an upload of name goes to, until release is called.
func (r *Remote) claim(ctx context.Context, name string, choose func(ctx context.Context, name string) ([]*upstream, error)) (ups []*upstream, release func(), err error) {
	unlock, err := r.names.Change(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	defer unlock()
	c := r.claimed(name)
	if c == nil {
		if ups, err = choose(ctx, name); err != nil {
			return nil, nil, err
		}
		c = &claim{ups: ups}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.claims[name] = c
	c.users++
	return c.ups, sync.OnceFunc(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if c.users--; c.users == 0 && r.claims[name] == c {
			delete(r.claims, name)
		}
	}), nil
}

// claimed returns the claim of a name, nil if it is not being stored. The caller holds the lock of
// the name.
func (r *Remote) claimed(name string) *claim {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.claims[name]
}

// targets returns the upstreams that a file of some name is stored in, and makes its directory
// there: those with a file of the name that the action policy chooses, or new ones. What is stored
// is seen then; where another upstream would hide it, it is ErrPermission.
func (r *Remote) targets(ctx context.Context, name string) ([]*upstream, error) {
	if name == "." {
		return nil, remote.ErrIsDir
	}
	l, err := r.known(ctx, name)
	if err != nil {
		return nil, err
	}
	holders := l.holders()
	if len(holders) == 0 {
		return r.newIn(ctx, name)
	}
	if r.prefer(ctx, r.o.Search, holders).entry.Dir {
		return nil, remote.ErrIsDir
	}
	ups := upstreamsOf(r.choose(ctx, r.o.Action, changeable(holders)))
	if len(ups) == 0 {
		if ups, err = r.newIn(ctx, name); err != nil {
			return nil, err
		}
	}
	if !r.seen(holders, ups) {
		return nil, fmt.Errorf("%w: what is stored would be hidden by the file in %s", remote.ErrPermission, namesOf(upstreamsOf(holders), ups))
	}
	return ups, nil
}

// changeable returns the holders whose files may be changed.
func changeable(holders []*held) []*held {
	return slices.DeleteFunc(slices.Clone(holders), func(h *held) bool { return h.up.readOnly() || h.entry.Dir })
}

func upstreamsOf(holders []*held) []*upstream {
	var ups []*upstream
	for _, h := range holders {
		ups = append(ups, h.up)
	}
	return ups
}

// namesOf lists upstreams that are not among those.
func namesOf(ups, besides []*upstream) string {
	var names []string
	for _, u := range ups {
		if !slices.Contains(besides, u) {
			names = append(names, u.name())
		}
	}
	return strings.Join(names, ", ")
}

// seen reports whether a name is certainly seen in one of ups if these have it too.
func (r *Remote) seen(holders []*held, ups []*upstream) bool {
	first := slices.MinFunc(ups, func(a, b *upstream) int { return a.index - b.index })
	for _, h := range holders {
		if !slices.Contains(ups, h.up) && (!r.o.Search.fixedOrder() || h.up.index < first.index) {
			return false
		}
	}
	return true
}

// newIn returns the upstreams that the create policy chooses for something new, and makes its
// directory there.
func (r *Remote) newIn(ctx context.Context, name string) ([]*upstream, error) {
	dir, _ := remote.Split(name)
	parents, err := r.parent(ctx, dir)
	if err != nil {
		return nil, err
	}
	ups, err := r.create(ctx, dir, parents)
	if err != nil {
		return nil, err
	}
	if err := r.checkName(name); err != nil {
		return nil, err
	}
	for _, u := range ups {
		if err := u.makeAll(ctx, dir, parents); err != nil {
			return nil, u.fail(err)
		}
	}
	return ups, nil
}

// parent looks for the directory that something new is to be in. Where directories are there by
// themselves, one above it may be a file of another upstream, below which nothing comes.
func (r *Remote) parent(ctx context.Context, dir string) (looked, error) {
	parents, err := r.known(ctx, dir)
	if err != nil {
		return nil, err
	}
	holders := parents.holders()
	switch {
	case len(holders) == 0 && !r.info.Caps.ImplicitDirs:
		return nil, parents.missing()
	case len(holders) == 0 && dir != ".":
		above, _ := remote.Split(dir)
		_, err = r.parent(ctx, above)
		return parents, err
	case len(holders) > 0 && !r.prefer(ctx, r.o.Search, holders).entry.Dir:
		return nil, remote.ErrNotDir
	}
	return parents, nil
}

// create returns the upstreams that the create policy chooses in a directory.
func (r *Remote) create(ctx context.Context, dir string, parents looked) ([]*upstream, error) {
	var open []*upstream
	for _, u := range r.ups {
		if !u.readOnly() && !u.NoCreate {
			open = append(open, u)
		}
	}
	if len(open) == 0 {
		return nil, fmt.Errorf("%w: no upstream takes anything new", remote.ErrPermission)
	}
	open, err := rooted(ctx, open, parents)
	if err != nil {
		return nil, err
	}
	p := r.o.Create
	if p.existing() {
		if open, err = r.having(ctx, dir, parents, open); err != nil {
			return nil, err
		}
	}
	if open = r.roomy(ctx, p, open); len(open) == 0 {
		return nil, fmt.Errorf("%w: no upstream has as much free as min_free_space demands", remote.ErrNoSpace)
	}
	switch p.kind() {
	case "all":
		return open, nil
	case "newest":
		holders := slices.DeleteFunc(parents.holders(), func(h *held) bool { return !slices.Contains(open, h.up) })
		if len(holders) > 0 {
			return []*upstream{r.prefer(ctx, p, holders).up}, nil
		}
	}
	return r.ordered(ctx, p, open)[:1], nil
}

// rooted returns the upstreams whose root is there. Where it is missing nothing can be stored, as
// when a directory is served that only one of them has.
func rooted(ctx context.Context, ups []*upstream, parents looked) ([]*upstream, error) {
	var all []*upstream
	for _, u := range ups {
		if parents[u.index].err != nil && !u.Remote.Info().Caps.ImplicitDirs {
			_, err := u.Remote.Stat(ctx, ".")
			if absent(err) {
				continue
			}
			if err != nil {
				return nil, u.fail(err)
			}
		}
		all = append(all, u)
	}
	if len(all) == 0 {
		return nil, remote.ErrNotExist
	}
	return all, nil
}

// having returns those of the upstreams that have a directory, or if none has it, one above.
func (r *Remote) having(ctx context.Context, dir string, parents looked, open []*upstream) ([]*upstream, error) {
	for {
		var have []*upstream
		for _, u := range open {
			if h := parents[u.index]; h.err == nil && h.entry.Dir {
				have = append(have, u)
			}
		}
		switch {
		case len(have) > 0:
			return have, nil
		case dir == ".":
			return open, nil
		}
		dir, _ = remote.Split(dir)
		var err error
		if parents, err = r.known(ctx, dir); err != nil {
			return nil, err
		}
	}
}

// makeAll makes a directory of the upstream, and those above it, if parents does not show it.
func (u *upstream) makeAll(ctx context.Context, dir string, parents looked) error {
	switch h := parents[u.index]; {
	case h.err == nil && h.entry.Dir, dir == ".", u.Remote.Info().Caps.ImplicitDirs:
		return nil
	case h.err == nil:
		return remote.ErrNotDir
	}
	if above, _ := remote.Split(dir); above != "." {
		e, err := u.Remote.Stat(ctx, above)
		if err == nil && !e.Dir {
			err = remote.ErrNotDir
		}
		if errors.Is(err, remote.ErrNotExist) {
			gone := make(looked, len(parents))
			gone[u.index].err = err
			err = u.makeAll(ctx, above, gone)
		}
		if err != nil {
			return err
		}
	}
	err := u.Remote.Mkdir(ctx, dir)
	if !errors.Is(err, remote.ErrExist) {
		return err
	}
	return nil
}

// checkName returns why an upstream that can be changed cannot hold a name.
func (r *Remote) checkName(name string) error {
	for _, u := range r.ups {
		if u.readOnly() {
			continue
		}
		if err := remote.CheckName(u.Remote, name); err != nil {
			return u.fail(err)
		}
	}
	return nil
}
