package webdav

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"ferry/remote"
)

// settleTime is how long finding out may take what became of a rename whose answer was lost.
const settleTime = 5 * time.Second

// publish renames the complete upload hidden to name. exists says that there is likely something to
// replace.
func (r *Remote) publish(ctx context.Context, hidden, name string, exists bool) error {
	release, err := r.names.Change(ctx, name)
	if err != nil {
		return err
	}
	defer release()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return r.moveFile(ctx, hidden, name, exists)
}

// moveFile renames a file, which may replace a file but not a directory. Whoever calls holds the
// name to.
func (r *Remote) moveFile(ctx context.Context, from, to string, exists bool) error {
	if !exists {
		status, err := r.rename(ctx, from, to, false, false)
		if err == nil {
			return nil
		}
		if status != http.StatusPreconditionFailed {
			return r.explainNew(ctx, to, err)
		}
	}
	e, err := r.stat(ctx, to)
	switch {
	case err == nil && e.Dir:
		return remote.ErrIsDir
	case err != nil && !errors.Is(err, remote.ErrNotExist):
		return err
	}
	_, err = r.rename(ctx, from, to, false, err == nil)
	r.replaced.Add(1)
	if errors.Is(err, errHalfway) {
		return err
	}
	return r.explainNew(ctx, to, err)
}

// rename sends MOVE for a file or a directory. It succeeds also when its answer was lost but it was
// done: it cannot be done once more. What stays in doubt it reports.
func (r *Remote) rename(ctx context.Context, from, to string, dir, overwrite bool) (status int, err error) {
	var doubt atomic.Bool
	asking := remote.WithUnanswered(ctx, func() { doubt.Store(true) })
	status, err = r.relocate(asking, "MOVE", r.url(from, dir), r.url(to, dir), overwrite)
	if !doubt.Load() || err == nil {
		return status, err
	}
	settling, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	if err = r.complete(settling, from, to, overwrite, err); err != nil {
		remote.Unanswered(ctx)
	}
	return 0, err
}

// errHalfway says that a file was perhaps deleted to be replaced, and was not replaced.
var errHalfway = errors.New("the old file may be gone")

// complete finds out what became of a rename that was broken off by err, and goes on with it where
// the server has deleted the old file but not renamed the new one.
func (r *Remote) complete(ctx context.Context, from, to string, overwrite bool, err error) error {
	_, toErr := r.stat(ctx, to)
	_, fromErr := r.stat(ctx, from)
	switch {
	case toErr == nil && errors.Is(fromErr, remote.ErrNotExist):
		return nil // it was done
	case toErr == nil && fromErr == nil, !overwrite:
		return err // nothing was done yet
	case errors.Is(toErr, remote.ErrNotExist) && fromErr == nil:
		if _, moveErr := r.relocate(ctx, "MOVE", r.url(from, false), r.url(to, false), false); moveErr == nil {
			return nil
		}
	}
	return fmt.Errorf("%w, and the new one is called %s on the server: %w", errHalfway, from, err)
}
