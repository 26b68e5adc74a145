package vfs

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"time"

	"ferry/breaker"
	"ferry/remote"
)

// part describes the owner's unfinished upload of name. One that is too old does not exist.
func (v *View) part(ctx context.Context, name string) (remote.Entry, error) {
	missing := &fs.PathError{Op: "stat", Path: name, Err: remote.ErrNotExist}
	was := v.fs.interrupted.last(v.uploads(name), v.owner)
	e, err := v.fs.top.Part(ctx, name, v.owner)
	if errors.Is(err, remote.ErrFinished) {
		v.fs.interrupted.finished(v.uploads(name), v.owner, was)
	}
	if errors.Is(err, remote.ErrNotExist) && v.owner != v.user && v.fs.hasEarlierParts() {
		e, err = v.fs.top.Part(ctx, name, v.user)
	}
	if err != nil {
		return remote.Entry{}, err
	}
	if v.expired(e) {
		return remote.Entry{}, missing
	}
	return e, nil
}

// hasEarlierParts reports whether there can be parts of an earlier process, including those from
// when parts belonged to users without an address.
func (f *FS) hasEarlierParts() bool {
	age := f.opt.PartMaxAge
	return !f.top.Info().Caps.NoParts && (age <= 0 || time.Since(f.interrupted.began) <= age)
}

func (v *View) expired(part remote.Entry) bool {
	age := v.fs.opt.PartMaxAge
	return age > 0 && !part.ModTime.IsZero() && v.fs.ages.Exceed(part.ModTime, age)
}

// entries yields the entries of dir, an existing name, including the owner's unfinished uploads if
// no file has their name. The first error ends it.
func (v *View) entries(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		waiting := v.elsewhereIn(ctx, dir)
		parts, others := false, false // were yielded
		for e, err := range v.with(waiting, v.fs.shown.List(ctx, dir)) {
			if err == nil && e.Part != "" {
				var show bool
				if show, err = v.showsPart(ctx, dir, e); err == nil && !show {
					breaker.WatchdogOf(ctx).Hear()
					continue
				}
			}
			if parts && !others && errors.Is(err, remote.ErrNotExist) {
				return // it comes with the first file that is complete
			}
			parts, others = parts || e.Part != "", others || e.Part == ""
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// showsPart reports whether e, an unfinished upload found in dir, is listed as a file: it is the
// owner's, not too old, and there is no file of that name. This costs a Stat for each part of the
// owner.
func (v *View) showsPart(ctx context.Context, dir string, e remote.Entry) (bool, error) {
	if e.Part != v.owner && e.Part != v.user || v.expired(e) {
		return false, nil
	}
	name := remote.Join(dir, e.Name)
	if _, node := v.elsewhere(ctx, name); node != "" {
		return false, nil
	}
	_, err := v.fs.shown.Stat(ctx, name)
	if !errors.Is(err, remote.ErrNotExist) {
		return false, err
	}
	if e.Part == v.owner {
		return true, nil
	}
	p, has, err := found(v.part(ctx, name))
	return has && p.Part == e.Part, err
}

// dropInterrupted discards the owner's part of name, which got another content in another way.
func (v *View) dropInterrupted(ctx context.Context, name string) {
	if _, known := v.fs.interrupted.of(v.uploads(name), v.owner, v.fs.opt.PartMaxAge); known {
		_ = v.fs.top.DropPart(ctx, name, v.owner) // a part that stays will expire
	}
}

// explain replaces an ErrNotExist of name if the client sees an unfinished upload of that name, or
// a file that waits elsewhere.
func (v *View) explain(ctx context.Context, op, name string, err error, hint string) error {
	if !errors.Is(err, remote.ErrNotExist) {
		return err
	}
	if _, node := v.elsewhere(ctx, name); node != "" {
		return waitsElsewhere(op, name, node)
	}
	if _, partErr := v.part(ctx, name); partErr != nil {
		return err
	}
	return refuse(op, name, remote.ErrPermission, hint)
}
