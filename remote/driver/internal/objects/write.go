package objects

import (
	"context"
	"errors"
	"io"
	"math"
	"time"

	"ferry/remote"
)

// Put implements remote.Remote. It asks first whether the name is a directory, as the store would
// not mind.
func (t *Tree) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	k, err := t.target(ctx, "put", name)
	if err != nil {
		return remote.Entry{}, err
	}
	e, err := t.put(ctx, k, body, o)
	_, e.Name = remote.Split(name)
	return e, fail(ctx, "put", name, err)
}

func (t *Tree) put(ctx context.Context, k Key, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	if err := t.dirs.Target(ctx, k); err != nil {
		return remote.Entry{}, err
	}
	create := CreateOptions{ModTime: o.ModTime, Size: max(o.Size, 0)}
	if err := t.takeFacts(ctx, &create, o.FactsOf); err != nil {
		return remote.Entry{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d, err := t.store.Create(ctx, k, create)
	if err != nil {
		return remote.Entry{}, err
	}
	defer d.Abort()
	most := int64(math.MaxInt64)
	if o.Size > 0 {
		most = o.Size + 1
	}
	n, err := io.Copy(d, io.LimitReader(remote.ContextReader(ctx, body), most))
	if err == nil {
		err = remote.CheckSize(n, o.Size)
	}
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		cancel()
		return remote.Entry{}, err
	}
	t.watch.stored(k)
	object, err := d.Commit(ctx, o.ModTime)
	if err == nil {
		t.dirs.Stored(k)
	}
	return entry("", object), err
}

// takeFacts looks at the file whose facts an upload takes over, unless name is "".
func (t *Tree) takeFacts(ctx context.Context, o *CreateOptions, name string) error {
	if name == "" {
		return nil
	}
	k, err := t.file(ctx, "put", name)
	if err != nil {
		return err
	}
	base, err := t.store.Head(ctx, k)
	if errors.Is(err, remote.ErrNotExist) || err == nil && base.Dir {
		return nil
	}
	o.Base, o.FactsOf = base, &k
	return err
}

// free returns remote.ErrIsDir if k is a directory, and remote.ErrNotDir if it is below a file.
func (t *Tree) free(ctx context.Context, k Key) error {
	if err := t.dirs.Parents(ctx, k); err != nil {
		return err
	}
	return t.dirs.NotDir(ctx, k)
}

// CheckTarget implements remote.TargetChecker.
func (t *Tree) CheckTarget(ctx context.Context, name string) error {
	k, err := t.key(ctx, "checktarget", name)
	switch {
	case err != nil:
		return err
	case !t.isRoot(k) && !t.isBucket(k) && !k.HasObject():
		err = ErrNoObject
	default:
		err = t.dirs.Target(ctx, k)
	}
	return fail(ctx, "checktarget", name, err)
}

// Remove implements remote.Remote.
func (t *Tree) Remove(ctx context.Context, name string) error {
	k, err := t.file(ctx, "remove", name)
	if err != nil {
		return err
	}
	return fail(ctx, "remove", name, t.remove(ctx, k, func() error { return t.store.Delete(ctx, k, "") }))
}

// remove deletes the file k by del. Its directory stays.
func (t *Tree) remove(ctx context.Context, k Key, del func() error) error {
	if err := t.dirs.NotKnownDir(ctx, k); err != nil {
		return err
	}
	done, err := t.dirs.Leave(ctx, k)
	if err != nil {
		return err
	}
	defer done()
	if err := del(); err != nil {
		return t.orIsDir(ctx, k, err)
	}
	return nil
}

// RemoveVersion implements remote.VersionRemover.
func (t *Tree) RemoveVersion(ctx context.Context, name, version string) error {
	k, err := t.file(ctx, "remove", name)
	if err != nil {
		return err
	}
	return fail(ctx, "remove", name, t.remove(ctx, k, func() error {
		err := t.store.Delete(ctx, k, version)
		if errors.Is(err, remote.ErrChanged) {
			if _, headErr := t.store.Head(ctx, k); errors.Is(headErr, remote.ErrNotExist) {
				err = headErr
			}
		}
		return err
	}))
}

// Copy implements remote.Copier.
func (t *Tree) Copy(ctx context.Context, from, to string) error {
	source, err := t.file(ctx, "copy", from)
	if err != nil {
		return err
	}
	target, err := t.target(ctx, "copy", to)
	if err != nil {
		return err
	}
	if err := t.free(ctx, target); err != nil {
		return fail(ctx, "copy", to, err)
	}
	if err := t.dirs.NotKnownDir(ctx, source); err != nil {
		return fail(ctx, "copy", from, err)
	}
	t.watch.stored(target)
	if _, err := t.store.Copy(ctx, source, "", target); err != nil {
		return fail(ctx, "copy", from, t.orIsDir(ctx, source, err))
	}
	t.dirs.Stored(target)
	return nil
}

// SetModTime implements remote.ModTimer. A directory keeps no time: ErrIsDir.
func (t *Tree) SetModTime(ctx context.Context, name string, to time.Time) error {
	k, err := t.file(ctx, "setmodtime", name)
	if err != nil {
		return err
	}
	if err := t.CheckTime(name, to); err != nil {
		return err
	}
	if err := t.dirs.NotKnownDir(ctx, k); err != nil {
		return fail(ctx, "setmodtime", name, err)
	}
	if err := t.store.SetModTime(ctx, k, to); err != nil {
		return fail(ctx, "setmodtime", name, t.orIsDir(ctx, k, err))
	}
	return nil
}

// CheckTime implements remote.TimeChecker: stores write times as RFC 3339 does, in a year of four
// digits.
func (t *Tree) CheckTime(name string, to time.Time) error {
	if year := to.UTC().Year(); year < 0 || year > 9999 {
		return fail(context.Background(), "checktime", name, remote.ErrInvalid)
	}
	return nil
}

// Hash implements remote.Hasher.
func (t *Tree) Hash(ctx context.Context, name, algorithm string) ([]byte, error) {
	k, err := t.file(ctx, "hash", name)
	if err != nil {
		return nil, err
	}
	if err := t.dirs.NotKnownDir(ctx, k); err != nil {
		return nil, fail(ctx, "hash", name, err)
	}
	sum, err := t.store.Hash(ctx, k, algorithm)
	if err != nil {
		return nil, fail(ctx, "hash", name, t.orIsDir(ctx, k, err))
	}
	return sum, nil
}
