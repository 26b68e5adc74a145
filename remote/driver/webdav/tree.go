package webdav

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"ferry/remote"
	"ferry/remote/driver/internal/httpclient"
)

// Remove implements remote.Remote.
func (r *Remote) Remove(ctx context.Context, name string) error {
	if err := check(ctx, name); err != nil {
		return remote.Fail("remove", name, err)
	}
	return remote.Fail("remove", name, r.remove(ctx, name))
}

func (r *Remote) remove(ctx context.Context, name string) error {
	release, err := r.names.Change(ctx, name)
	if err != nil {
		return err
	}
	defer release()
	e, err := r.stat(ctx, name)
	if err != nil {
		return err
	}
	if e.Dir {
		return remote.ErrIsDir // DELETE would remove all that is in it
	}
	_, err = r.send(ctx, http.MethodDelete, r.url(name, false))
	return err
}

// Mkdir implements remote.Remote.
func (r *Remote) Mkdir(ctx context.Context, dir string) error {
	err := r.checkNew(ctx, dir)
	if err == nil && dir == "." {
		err = remote.ErrExist
	}
	if err != nil {
		return remote.Fail("mkdir", dir, err)
	}
	return remote.Fail("mkdir", dir, r.mkdir(ctx, dir))
}

func (r *Remote) mkdir(ctx context.Context, dir string) error {
	release, err := r.names.Change(ctx, dir)
	if err != nil {
		return err
	}
	defer release()
	status, err := r.send(ctx, "MKCOL", r.url(dir, true))
	if status == 0 || err == nil {
		return err
	}
	if _, statErr := r.stat(ctx, dir); statErr == nil {
		return remote.ErrExist
	}
	return r.explainNew(ctx, dir, err)
}

// Rmdir implements remote.Remote.
func (r *Remote) Rmdir(ctx context.Context, dir string) error {
	err := check(ctx, dir)
	if err == nil && dir == "." {
		err = remote.ErrPermission
	}
	if err != nil {
		return remote.Fail("rmdir", dir, err)
	}
	return remote.Fail("rmdir", dir, r.rmdir(ctx, dir))
}

func (r *Remote) rmdir(ctx context.Context, dir string) error {
	release, err := r.names.Change(ctx, dir)
	if err != nil {
		return err
	}
	defer release()
	empty := true
	err = r.list(ctx, dir, func(remote.Entry) bool {
		empty = false
		return false
	})
	switch {
	case err != nil:
		return err
	case !empty:
		return remote.ErrNotEmpty
	}
	_, err = r.send(ctx, http.MethodDelete, r.url(dir, true))
	return err
}

// relocate sends MOVE or COPY.
func (r *Remote) relocate(ctx context.Context, method string, from, to *url.URL, overwrite bool) (int, error) {
	flag := "F"
	if overwrite {
		flag = "T"
	}
	return r.send(ctx, method, from, "Destination", to.String(), "Overwrite", flag)
}

// explainNew finds out why name could not be made. Servers have many answers to a parent that is
// missing.
func (r *Remote) explainNew(ctx context.Context, name string, err error) error {
	var status *httpclient.StatusError
	if !errors.As(err, &status) || ctx.Err() != nil {
		return err
	}
	switch status.Code {
	case http.StatusUnauthorized, http.StatusLocked, http.StatusInsufficientStorage, http.StatusTooManyRequests,
		http.StatusServiceUnavailable:
		return err
	}
	dir, _ := remote.Split(name)
	parent, statErr := r.stat(ctx, dir)
	switch {
	case errors.Is(statErr, remote.ErrNotExist):
		return remote.ErrNotExist
	case statErr == nil && !parent.Dir:
		return remote.ErrNotDir
	case statErr != nil && dir != ".": // some do not find what lies below a file
		if why := r.explainNew(ctx, dir, statErr); errors.Is(why, remote.ErrNotDir) {
			return why
		}
	}
	e, statErr := r.stat(ctx, name)
	if statErr == nil && e.Dir {
		return remote.ErrIsDir
	}
	if status.Code == http.StatusNotFound || status.Code == http.StatusGone {
		return errors.Join(remote.ErrPermission, errNotMissing) // nothing that the caller named is missing
	}
	return err
}

var errNotMissing = errors.New("the server does not find what is there")
