package memory

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"time"

	"ferry/remote"
)

// maxAhead is how much memory is reserved for a body because of the size that it is said to have.
const maxAhead = 64 << 20

// Put implements remote.Remote.
func (r *Remote) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	return r.put(ctx, name, body, o, func(*node, string) error { return nil })
}

// PutIf implements remote.ConditionalPutter.
func (r *Remote) PutIf(
	ctx context.Context, name string, body io.Reader, version string, o remote.PutOptions,
) (remote.Entry, error) {
	return r.put(ctx, name, body, o, func(dir *node, base string) error {
		if !dir.holds(base, version) {
			return remote.ErrChanged
		}
		return nil
	})
}

// put stores body if may, which is called with the lock held, says that it may be.
func (r *Remote) put(
	ctx context.Context, name string, body io.Reader, o remote.PutOptions, may func(dir *node, base string) error,
) (remote.Entry, error) {
	if err := check(ctx, "put", name); err != nil {
		return remote.Entry{}, err
	}
	if err := r.mayPut(name); err != nil {
		return remote.Entry{}, remote.Fail("put", name, err)
	}
	var content bytes.Buffer
	if o.Size > 0 {
		content.Grow(int(min(o.Size, maxAhead)) + bytes.MinRead)
	}
	n, err := io.Copy(&content, remote.ContextReader(ctx, body))
	if err == nil {
		err = remote.CheckSize(n, o.Size)
	}
	if err != nil {
		return remote.Entry{}, remote.Fail("put", name, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	dir, base, err := r.parent(name)
	if err == nil {
		err = dir.mayReplace(base)
	}
	if err == nil {
		err = may(dir, base)
	}
	if err != nil {
		return remote.Entry{}, remote.Fail("put", name, err)
	}
	e, err := r.publish(dir, base, content.Bytes(), o.ModTime)
	return e, remote.Fail("put", name, err)
}

// mayPut tells whether a file may be stored as name, so that a body is not read in vain.
func (r *Remote) mayPut(name string) error {
	if name == "." {
		return remote.ErrIsDir
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	dir, base, err := r.parent(name)
	if err != nil {
		return err
	}
	return dir.mayReplace(base)
}

// publish stores data as the file called base, with the mode of the file it replaces.
// LOCKS_REQUIRED(r.mu)
func (r *Remote) publish(dir *node, base string, data []byte, modTime time.Time) (remote.Entry, error) {
	if err := dir.mayReplace(base); err != nil {
		return remote.Entry{}, err
	}
	mode := fs.FileMode(0o644)
	if old := dir.entries[base]; old != nil {
		mode = old.mode
	}
	file := r.newFile(data, mode, modTime)
	dir.link(base, file)
	r.tellChanged(file)
	return file.entry(base), nil
}

// Remove implements remote.Remote.
func (r *Remote) Remove(ctx context.Context, name string) error {
	if err := check(ctx, "remove", name); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return remote.Fail("remove", name, r.remove(name))
}

// RemoveVersion implements remote.VersionRemover.
func (r *Remote) RemoveVersion(ctx context.Context, name, version string) error {
	if err := check(ctx, "remove", name); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	n, err := r.file(name)
	switch {
	case err != nil:
		return remote.Fail("remove", name, err)
	case n.entry(name).Version != version:
		return remote.Fail("remove", name, remote.ErrChanged)
	}
	return remote.Fail("remove", name, r.remove(name))
}

// LOCKS_REQUIRED(r.mu)
func (r *Remote) remove(name string) error {
	n, err := r.lookup(name)
	if err != nil {
		return err
	}
	if n.isDir() {
		return remote.ErrIsDir
	}
	dir, base, err := r.parent(name)
	if err != nil {
		return err
	}
	if dir.readOnly() {
		return remote.ErrPermission
	}
	dir.unlink(base)
	r.tellRemoved(n)
	return nil
}

// Mkdir implements remote.Remote.
func (r *Remote) Mkdir(ctx context.Context, dir string) error {
	if err := check(ctx, "mkdir", dir); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return remote.Fail("mkdir", dir, r.mkdir(dir))
}

// LOCKS_REQUIRED(r.mu)
func (r *Remote) mkdir(name string) error {
	if name == "." {
		return remote.ErrExist
	}
	dir, base, err := r.parent(name)
	switch {
	case err != nil:
		return err
	case dir.entries[base] != nil:
		return remote.ErrExist
	case dir.readOnly():
		return remote.ErrPermission
	}
	made := r.newDir()
	dir.link(base, made)
	r.tellChanged(made)
	return nil
}

// Rmdir implements remote.Remote. The parts that were kept in the directory are forgotten with it.
func (r *Remote) Rmdir(ctx context.Context, dir string) error {
	if err := check(ctx, "rmdir", dir); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return remote.Fail("rmdir", dir, r.rmdir(dir))
}

// LOCKS_REQUIRED(r.mu)
func (r *Remote) rmdir(name string) error {
	if name == "." {
		return remote.ErrPermission
	}
	n, err := r.lookup(name)
	if err != nil {
		return err
	}
	dir, base, err := r.parent(name)
	switch {
	case err != nil:
		return err
	case !n.isDir():
		return remote.ErrNotDir
	case len(n.entries) > 0:
		return remote.ErrNotEmpty
	case dir.readOnly():
		return remote.ErrPermission
	}
	n.gone = true
	dir.unlink(base)
	r.tellRemoved(n)
	return nil
}
