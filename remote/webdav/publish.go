package webdav

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"ferry/remote"
	"ferry/remote/httpclient"
)

// grace is how long a rename may go on after its context has ended: one that is broken off may have been done or not.
const grace = 5 * time.Second

// publish renames the complete upload hidden to name. exists says that there is likely something to replace.
func (r *Remote) publish(ctx context.Context, hidden, name string, exists bool) error {
	release, err := r.names.change(ctx, name)
	if err != nil {
		return err
	}
	defer release()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	ctx, cancel := lingering(ctx)
	defer cancel()
	return r.moveFile(ctx, hidden, name, exists)
}

// lingering returns a context that ends when ctx has been over for the time of grace.
func lingering(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(grace):
			cancel(context.Cause(ctx))
		case <-longer.Done():
		}
	})
	return longer, func() {
		stop()
		cancel(nil)
	}
}

// moveFile renames a file, which may replace a file but not a directory. Whoever calls holds the name to.
func (r *Remote) moveFile(ctx context.Context, from, to string, exists bool) error {
	if !exists {
		status, err := r.relocate(ctx, "MOVE", r.url(from, false), r.url(to, false), false)
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
	_, err = r.relocate(ctx, "MOVE", r.url(from, false), r.url(to, false), err == nil)
	r.names.replaced.Add(1)
	var answer *httpclient.StatusError
	if err != nil && !errors.As(err, &answer) {
		return r.complete(ctx, from, to, err)
	}
	return r.explainNew(ctx, to, err)
}

// errHalfway says that a file was perhaps deleted to be replaced, and was not replaced.
var errHalfway = errors.New("the old file may be gone")

// complete finds out what became of a replacement that was broken off by err, and goes on with it where the server has
// deleted the old file but not renamed the new one.
func (r *Remote) complete(ctx context.Context, from, to string, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	_, toErr := r.stat(ctx, to)
	_, fromErr := r.stat(ctx, from)
	switch {
	case toErr == nil && errors.Is(fromErr, remote.ErrNotExist):
		return nil // it was done
	case toErr == nil && fromErr == nil:
		return err // nothing was done
	case errors.Is(toErr, remote.ErrNotExist) && fromErr == nil:
		if _, moveErr := r.relocate(ctx, "MOVE", r.url(from, false), r.url(to, false), false); moveErr == nil {
			return nil
		}
	}
	return fmt.Errorf("%w, and the new one is called %s on the server: %w", errHalfway, from, err)
}
