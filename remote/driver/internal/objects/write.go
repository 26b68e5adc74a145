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
	return t.putOver(ctx, name, body, nil, o)
}

// PutIf implements remote.ConditionalPutter.
func (t *Tree) PutIf(
	ctx context.Context, name string, body io.Reader, version string, o remote.PutOptions,
) (remote.Entry, error) {
	return t.putOver(ctx, name, body, &version, o)
}

// putOver stores body in the place of the version only, or of any.
func (t *Tree) putOver(
	ctx context.Context, name string, body io.Reader, only *string, o remote.PutOptions,
) (remote.Entry, error) {
	k, err := t.target(ctx, "put", name)
	if err != nil {
		return remote.Entry{}, err
	}
	e, err := t.put(ctx, k, body, only, o)
	_, e.Name = remote.Split(name)
	return e, fail(ctx, "put", name, err)
}

func (t *Tree) put(ctx context.Context, k Key, body io.Reader, only *string, o remote.PutOptions) (remote.Entry, error) {
	if err := t.dirs.Target(Insist(ctx), k); err != nil {
		return remote.Entry{}, err
	}
	create := CreateOptions{ModTime: o.ModTime, Size: max(o.Size, 0), Only: only}
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
	object, err := t.commit(ctx, k, d, o.ModTime)
	return entry("", object), err
}

// commit publishes d as k. It asks once more whether k is a directory, if one was seen since, or it
// was long ago that it was asked. The rest of the content is on its way meanwhile.
func (t *Tree) commit(ctx context.Context, k Key, d Draft, modTime time.Time) (Object, error) {
	long, ok := d.(LongDraft)
	if ok = ok && long.Long(); ok {
		if err := long.Finish(); err != nil {
			return Object{}, err
		}
	}
	if ok || t.dirs.Known(k) {
		if err := t.dirs.NotDir(Insist(ctx), k); err != nil {
			return Object{}, err
		}
	}
	object, err := d.Commit(ctx, modTime)
	if err == nil {
		t.dirs.Stored(k)
	}
	return object, err
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
	return fail(ctx, "remove", name, t.remove(ctx, k, ""))
}

// remove deletes the file k, of that version if there is one. Its directory stays.
func (t *Tree) remove(ctx context.Context, k Key, version string) error {
	if seen, ok := t.bare.(SeenDeleter); ok {
		return t.removeSeen(ctx, k, version, seen)
	}
	return t.onFile(ctx, k, func() error {
		return t.leave(ctx, k, func() error { return t.store.Delete(ctx, k, version) })
	})
}

// removeSeen is remove for a store that does not tell whether there was something.
func (t *Tree) removeSeen(ctx context.Context, k Key, version string, store SeenDeleter) error {
	o, isDir, err := t.find(ctx, k)
	switch {
	case err != nil:
		return err
	case isDir:
		return remote.ErrIsDir
	case version != "" && o.Version != version:
		return remote.ErrChanged
	}
	return t.leave(ctx, k, func() error { return store.DeleteSeen(ctx, k, version) })
}

// leave removes k by del. Its directory stays.
func (t *Tree) leave(ctx context.Context, k Key, del func() error) error {
	done, err := t.dirs.Leave(ctx, k)
	if err != nil {
		return err
	}
	defer done()
	return del()
}

// onFile does something to the file k. It is remote.ErrIsDir where a directory has that name.
func (t *Tree) onFile(ctx context.Context, k Key, do func() error) error {
	asked, err := t.dirs.NotKnownDir(ctx, k)
	if err != nil {
		return err
	}
	if err = do(); errors.Is(err, remote.ErrNotExist) && !asked {
		if err := t.checkDir(ctx, k); err != nil {
			return err
		}
		return remote.ErrIsDir
	}
	return err
}

// RemoveVersion implements remote.VersionRemover.
func (t *Tree) RemoveVersion(ctx context.Context, name, version string) error {
	k, err := t.file(ctx, "remove", name)
	if err != nil {
		return err
	}
	err = t.remove(ctx, k, version)
	if _, seen := t.bare.(SeenDeleter); !seen && errors.Is(err, remote.ErrChanged) {
		if _, headErr := t.store.Head(ctx, k); errors.Is(headErr, remote.ErrNotExist) {
			err = headErr
		}
	}
	return fail(ctx, "remove", name, err)
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
	if source == target {
		_, isDir, err := t.find(ctx, source)
		if err == nil && isDir {
			err = remote.ErrIsDir
		}
		return fail(ctx, "copy", from, err)
	}
	if err := t.free(Insist(ctx), target); err != nil {
		return fail(ctx, "copy", to, err)
	}
	err = t.onFile(ctx, source, func() error {
		_, err := t.store.Copy(ctx, source, Object{}, target)
		return err
	})
	if err == nil {
		t.dirs.Stored(target)
	}
	return fail(ctx, "copy", from, err)
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
	err = t.onFile(ctx, k, func() error { return t.store.SetModTime(ctx, k, to) })
	return fail(ctx, "setmodtime", name, err)
}

// CheckTime implements remote.TimeChecker: most stores write times as RFC 3339 does, in a year of
// four digits.
func (t *Tree) CheckTime(name string, to time.Time) error {
	year := to.UTC().Year()
	holds := year >= 0 && year <= 9999
	if t.config.HoldsTime != nil {
		holds = t.config.HoldsTime(to)
	}
	if !holds {
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
	if algorithm != "md5" { // no service keeps another
		return nil, fail(ctx, "hash", name, remote.ErrUnsupported)
	}
	var sum []byte
	err = t.onFile(ctx, k, func() error {
		sum, err = t.store.Hash(ctx, k, algorithm)
		return err
	})
	return sum, fail(ctx, "hash", name, err)
}
