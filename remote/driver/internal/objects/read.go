package objects

import (
	"context"
	"errors"
	"io"
	"strings"

	"ferry/remote"
)

// Stat implements remote.Remote: one request for a file that was seen before, two at a time for any
// other and for a directory.
func (t *Tree) Stat(ctx context.Context, name string) (remote.Entry, error) {
	k, err := t.key(ctx, "stat", name)
	if err != nil {
		return remote.Entry{}, err
	}
	_, base := remote.Split(name)
	e, err := t.stat(ctx, k, base)
	return e, fail(ctx, "stat", name, err)
}

func (t *Tree) stat(ctx context.Context, k Key, base string) (remote.Entry, error) {
	dir := remote.Entry{Name: base, Dir: true}
	if t.isRoot(k) || t.isBucket(k) {
		return dir, t.reach(ctx, k)
	}
	o, isDir, err := t.find(ctx, k)
	switch {
	case err != nil:
		return remote.Entry{}, err
	case isDir:
		return dir, nil
	}
	return entry(base, o), nil
}

// find describes the object k, or reports that k is a directory; then o is the object that it
// hides, and has a name if there is one.
func (t *Tree) find(ctx context.Context, k Key) (o Object, isDir bool, err error) {
	q := t.dirs.Ask(ctx, k)
	defer q.Drop()
	o, err = t.store.Head(ctx, k)
	switch {
	case err == nil:
		o.Name = k.Name
		isDir, err = q.Hides(ctx, o)
	case errors.Is(err, remote.ErrNotExist):
		o = Object{}
		if isDir, err = q.Is(ctx); err == nil && !isDir {
			err = remote.ErrNotExist
		}
	}
	return o, isDir, err
}

// checkDir returns nil if k is a directory, and otherwise remote.ErrNotExist.
func (t *Tree) checkDir(ctx context.Context, k Key) error {
	is, err := t.dirs.Is(ctx, k)
	if err == nil && !is {
		err = remote.ErrNotExist
	}
	return err
}

// Open implements remote.Remote. The content is that of the moment when the first byte came.
func (t *Tree) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	k, err := t.file(ctx, "open", name)
	if err != nil {
		return nil, err
	}
	if off < 0 {
		return nil, fail(ctx, "open", name, remote.ErrInvalid)
	}
	c, err := t.open(ctx, k, off, n)
	if err != nil {
		return nil, fail(ctx, "open", name, err)
	}
	_, base := remote.Split(name)
	return &reader{remote.ContextReader(ctx, c), c, entry(base, c.Object)}, nil
}

func (t *Tree) open(ctx context.Context, k Key, off, n int64) (c Content, err error) {
	q := t.dirs.Ask(ctx, k)
	defer q.Drop()
	if n == 0 {
		c = Content{ReadCloser: io.NopCloser(strings.NewReader(""))}
		c.Object, err = t.store.Head(ctx, k)
	} else {
		c, err = t.store.Open(ctx, k, off, n)
	}
	var isDir bool
	switch {
	case err == nil:
		if isDir, err = q.Hides(ctx, c.Object); err != nil || isDir {
			_ = c.Close()
		}
	case errors.Is(err, remote.ErrNotExist):
		if isDir, err = q.Is(ctx); err == nil && !isDir {
			err = remote.ErrNotExist
		}
	}
	if err == nil && isDir {
		err = remote.ErrIsDir
	}
	return c, err
}

// A reader reads an object as long as its context lasts.
type reader struct {
	io.Reader
	io.Closer
	entry remote.Entry
}

// Described implements remote.Described.
func (r *reader) Described() (remote.Entry, bool) { return r.entry, r.entry.Version != "" }
