package webdav

import (
	"context"
	"errors"
	"net/http"

	"ferry/remote"
)

// Move implements remote.Mover.
func (r *Remote) Move(ctx context.Context, from, to string) error {
	err := check(ctx, from)
	if err == nil {
		err = r.checkNew(ctx, to)
	}
	if err != nil {
		return remote.Fail("move", from, err)
	}
	return remote.Fail("move", from, r.move(ctx, from, to))
}

func (r *Remote) move(ctx context.Context, from, to string) error {
	release, err := r.names.Change(ctx, from, to)
	if err != nil {
		return err
	}
	defer release()
	e, err := r.stat(ctx, from)
	switch {
	case err != nil:
		return err
	case from == to:
		return nil
	case e.Dir && (from == "." || remote.Below(to, from)):
		return remote.ErrInvalid
	case to == "." && e.Dir:
		return remote.ErrExist
	case to == ".":
		return remote.ErrIsDir
	case !e.Dir:
		return r.moveFile(ctx, from, to, false)
	}
	status, err := r.rename(ctx, from, to, true, false)
	if status == http.StatusPreconditionFailed {
		return remote.ErrExist
	}
	if err == nil || status == 0 {
		return err
	}
	if _, statErr := r.stat(ctx, to); statErr == nil {
		return remote.ErrExist
	}
	return r.explainNew(ctx, to, err)
}

// Copy implements remote.Copier. The copy is made under a hidden name first, as COPY is not atomic.
func (r *Remote) Copy(ctx context.Context, from, to string) error {
	err := check(ctx, from)
	if err == nil {
		err = r.checkNew(ctx, to)
	}
	if err == nil && to == "." {
		err = remote.ErrIsDir
	}
	if err != nil {
		return remote.Fail("copy", from, err)
	}
	return remote.Fail("copy", from, r.copy(ctx, from, to))
}

func (r *Remote) copy(ctx context.Context, from, to string) error {
	e, err := r.stat(ctx, from)
	switch {
	case err != nil:
		return err
	case e.Dir:
		return remote.ErrIsDir
	case from == to:
		return nil
	}
	dir, _ := remote.Split(to)
	hidden := newUploadName(dir)
	_, err = r.relocate(ctx, "COPY", r.url(from, false), r.url(hidden, false), false)
	if err != nil {
		return r.explainNew(ctx, to, err)
	}
	if err := r.publish(ctx, hidden, to, false); err != nil {
		if errors.Is(err, errHalfway) {
			return err
		}
		r.discard(ctx, r.url(hidden, false))
		return err
	}
	return nil
}
