package memory

import (
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"hash/crc32"
	"io/fs"
	"time"

	"ferry/remote"
)

// Move implements remote.Mover.
func (r *Remote) Move(ctx context.Context, from, to string) error {
	if err := check(ctx, "move", from); err != nil {
		return err
	}
	if err := check(ctx, "move", to); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return remote.Fail("move", from, r.move(from, to))
}

// LOCKS_REQUIRED(r.mu)
func (r *Remote) move(from, to string) error {
	n, err := r.lookup(from)
	switch {
	case err != nil:
		return err
	case from == to:
		return nil
	case remote.Below(to, from):
		return remote.ErrInvalid
	}
	fromDir, fromBase, err := r.parent(from)
	if err != nil {
		return err
	}
	toDir, toBase, err := r.parent(to)
	if err != nil {
		return err
	}
	old := toDir.entries[toBase]
	if to == "." {
		old = r.root
	}
	switch {
	case old != nil && n.isDir():
		return remote.ErrExist
	case old != nil && old.isDir():
		return remote.ErrIsDir
	case fromDir.readOnly(), toDir.readOnly(), old != nil && old.readOnly():
		return remote.ErrPermission
	}
	fromDir.unlink(fromBase)
	r.tellRemoved(n)
	toDir.link(toBase, n)
	r.tellChanged(n)
	return nil
}

// Copy implements remote.Copier. The two files share their bytes, which never change.
func (r *Remote) Copy(ctx context.Context, from, to string) error {
	if err := check(ctx, "copy", from); err != nil {
		return err
	}
	if err := check(ctx, "copy", to); err != nil {
		return err
	}
	if err := r.mayPut(to); err != nil {
		return remote.Fail("copy", to, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	n, err := r.file(from)
	if err != nil {
		return remote.Fail("copy", from, err)
	}
	dir, base, err := r.parent(to)
	if err != nil {
		return remote.Fail("copy", to, err)
	}
	_, err = r.publish(dir, base, n.data, n.modTime)
	return remote.Fail("copy", to, err)
}

// SetModTime implements remote.ModTimer.
func (r *Remote) SetModTime(ctx context.Context, name string, t time.Time) error {
	return r.change(ctx, "setmodtime", name, func(n *node) { n.modTime = t })
}

// CheckTime implements remote.TimeChecker. Every time is kept.
func (r *Remote) CheckTime(name string, _ time.Time) error {
	return check(context.Background(), "checktime", name)
}

// SetMode implements remote.Moder.
func (r *Remote) SetMode(ctx context.Context, name string, perm fs.FileMode) error {
	return r.change(ctx, "setmode", name, func(n *node) { n.mode = perm.Perm() })
}

func (r *Remote) change(ctx context.Context, op, name string, set func(*node)) error {
	if err := check(ctx, op, name); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	n, err := r.lookup(name)
	if err != nil {
		return remote.Fail(op, name, err)
	}
	set(n)
	r.tell(remote.Change{Name: n.path(), Dir: n.isDir()})
	return nil
}

// Hash implements remote.Hasher.
func (r *Remote) Hash(ctx context.Context, name, algorithm string) ([]byte, error) {
	if err := check(ctx, "hash", name); err != nil {
		return nil, err
	}
	h := newHash(algorithm)
	if h == nil {
		return nil, remote.Fail("hash", name, remote.ErrUnsupported)
	}
	r.mu.RLock()
	n, err := r.file(name)
	r.mu.RUnlock()
	if err != nil {
		return nil, remote.Fail("hash", name, err)
	}
	h.Write(n.data)
	return h.Sum(nil), nil
}

func newHash(algorithm string) hash.Hash {
	switch algorithm {
	case "md5":
		return md5.New()
	case "sha1":
		return sha1.New()
	case "sha256":
		return sha256.New()
	case "sha512":
		return sha512.New()
	case "crc32":
		return crc32.NewIEEE()
	}
	return nil
}

// Usage implements remote.Usager. What the memory of the process will bear is not known.
func (r *Remote) Usage(ctx context.Context) (remote.Usage, error) {
	return remote.Usage{Total: -1, Used: -1, Free: -1}, check(ctx, "usage", ".")
}
