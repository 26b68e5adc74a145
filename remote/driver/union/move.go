package union

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ferry/remote"
)

// Move implements remote.Mover: on all upstreams that have the name and that the action policy
// chooses; a directory on all that have it. When that fails on one, it is undone on the others if
// it can be; otherwise the error tells where it was done.
func (r *Remote) Move(ctx context.Context, from, to string) error {
	return remote.Renamed("move", from, r.move(ctx, from, to))
}

// A move is one that is being made.
type move struct {
	from, to string
	ups      []*upstream // that make it
	over     []*upstream // that have another file of the new name, which goes
	parents  looked      // of the new name
	was      map[*upstream]*held
}

func (r *Remote) move(ctx context.Context, from, to string) error {
	unlock, err := r.lock(ctx, from, to)
	if err != nil {
		return err
	}
	defer unlock()
	m, err := r.plan(ctx, from, to)
	if err != nil || m == nil {
		return err
	}
	if err := r.checkName(to); err != nil {
		return err
	}
	dir, _ := remote.Split(to)
	for _, u := range m.ups {
		if err := u.makeAll(ctx, dir, m.parents); err != nil {
			return u.fail(err)
		}
	}
	errs := make([]error, len(m.ups))
	failed := each(m.ups, func(u *upstream) error {
		i := slices.Index(m.ups, u)
		errs[i] = remote.Move(u.uploads(ctx), u.Remote, from, to)
		if errs[i] != nil && !remote.Permanent(errs[i]) && m.made(ctx, u) {
			errs[i] = nil
		}
		return errs[i]
	})
	if failed != nil {
		return m.undo(ctx, failed, errs)
	}
	rest := slices.DeleteFunc(m.over, func(u *upstream) bool { return slices.Contains(m.ups, u) })
	if len(rest) == 0 {
		return nil
	}
	err = each(rest, func(u *upstream) error { return gone(u.Remote.Remove(ctx, to)) })
	if err != nil { // it may hide the new one
		return m.undo(ctx, fmt.Errorf("the old file stays: %w", err), errs)
	}
	return nil
}

// made reports whether a rename whose answer was lost turns out to be made.
func (m *move) made(ctx context.Context, u *upstream) bool {
	was := m.was[u].entry
	if _, err := u.Remote.Stat(ctx, m.from); !absent(err) {
		return false
	}
	now, err := u.Remote.Stat(ctx, m.to)
	return err == nil && now.Dir == was.Dir && (was.Dir || now.Size == was.Size && now.ModTime.Equal(was.ModTime))
}

// undo renames back what some upstreams have renamed while others failed, if that has replaced
// nothing.
func (m *move) undo(ctx context.Context, failed error, errs []error) error {
	var done []*upstream
	for i, err := range errs {
		if err == nil {
			done = append(done, m.ups[i])
		}
	}
	if len(done) == 0 {
		return failed
	}
	if slices.ContainsFunc(m.over, func(u *upstream) bool { return slices.Contains(m.ups, u) }) {
		return fmt.Errorf("it was renamed on %s: %w", namesOf(done, nil), failed)
	}
	committed, release := remote.Committed(ctx)
	defer release()
	err := each(done, func(u *upstream) error { return remote.Move(committed, u.Remote, m.to, m.from) })
	if err != nil {
		return errors.Join(failed, fmt.Errorf("and it could not be undone: %w", err))
	}
	var only error
	for i, err := range errs {
		if err != nil {
			only = errors.Join(only, m.ups[i].fail(err))
		}
	}
	return cause(only, failed)
}

// plan finds out who moves what. It returns nil if there is nothing to be done.
func (r *Remote) plan(ctx context.Context, from, to string) (*move, error) {
	old, err := r.known(ctx, from)
	if err != nil {
		return nil, err
	}
	holders := old.holders()
	if len(holders) == 0 {
		return nil, old.missing()
	}
	dir := r.prefer(ctx, r.o.Search, holders).entry.Dir
	switch {
	case from == to:
		return nil, nil
	case dir && !r.info.Caps.MoveDir:
		return nil, remote.ErrUnsupported
	case dir && remote.Below(to, from):
		return nil, remote.ErrInvalid
	case slices.ContainsFunc(holders, func(h *held) bool { return h.entry.Dir != dir }):
		return nil, fmt.Errorf("%w: it is a file in one upstream and a directory in another", remote.ErrPermission)
	}
	if err := checkWritable(holders); err != nil {
		return nil, err
	}
	m := &move{from: from, to: to, ups: upstreamsOf(holders), was: map[*upstream]*held{}}
	for _, h := range holders {
		m.was[h.up] = h
	}
	if !dir {
		m.ups = upstreamsOf(r.choose(ctx, r.o.Action, holders))
	}
	if err := r.planTarget(ctx, m, dir); err != nil {
		return nil, err
	}
	parent, _ := remote.Split(to)
	m.parents, err = r.parent(ctx, parent)
	return m, err
}

// planTarget looks at what has the new name.
func (r *Remote) planTarget(ctx context.Context, m *move, dir bool) error {
	if r.info.Caps.CaseInsensitive && strings.EqualFold(m.from, m.to) {
		return nil // it has the new name itself
	}
	there, err := r.known(ctx, m.to)
	if err != nil {
		return err
	}
	holders := there.holders()
	switch {
	case len(holders) == 0:
		return nil
	case dir:
		return remote.ErrExist
	case slices.ContainsFunc(holders, func(h *held) bool { return h.entry.Dir }):
		return remote.ErrIsDir
	}
	m.over = upstreamsOf(holders)
	return checkWritable(holders)
}

// Copy implements remote.Copier, where the upstream whose file is seen is the only one that the
// copy goes to; otherwise it is ErrUnsupported.
func (r *Remote) Copy(ctx context.Context, from, to string) error {
	return remote.Renamed("copy", from, r.copyInside(ctx, from, to))
}

func (r *Remote) copyInside(ctx context.Context, from, to string) error {
	if err := remote.Check(ctx, from, to); err != nil {
		return err
	}
	h, err := r.find(ctx, from)
	switch {
	case err != nil:
		return err
	case h.entry.Dir:
		return remote.ErrIsDir
	}
	ups, release, err := r.claim(ctx, to, r.targets)
	if err != nil {
		return err
	}
	defer release()
	switch {
	case len(ups) != 1 || ups[0] != h.up:
		return remote.ErrUnsupported
	}
	return remote.Copy(h.up.uploads(ctx), h.up.Remote, from, to)
}
