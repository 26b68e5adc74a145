package objects

import (
	"context"
	"fmt"
	"time"

	"ferry/remote"
)

// mark stores a marker, unless there are to be none.
func (t *Tree) mark(ctx context.Context, k Key) error {
	if t.config.NoMarkers {
		return nil
	}
	return t.putMarker(ctx, k)
}

func (t *Tree) putMarker(ctx context.Context, k Key) error {
	d, err := t.store.Create(ctx, k, CreateOptions{})
	if err != nil {
		return err
	}
	defer d.Abort()
	_, err = d.Commit(ctx, time.Time{})
	return err
}

// A MarkerError says that a directory is not removed, because the object that stands for it has a
// content.
type MarkerError struct{ Size int64 }

func (e *MarkerError) Error() string {
	return fmt.Sprintf("the object that stands for the directory, whose key ends with a slash, holds %d bytes: "+
		"look at it with another program, and remove it there", e.Size)
}

// Hint is what an FTP client is told.
func (e *MarkerError) Hint() string {
	return fmt.Sprintf("The object that stands for this directory holds %d bytes, which would be lost.", e.Size)
}

func (e *MarkerError) Unwrap() error { return remote.ErrNotEmpty }
