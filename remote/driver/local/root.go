package local

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"

	"ferry/remote"
)

// rootTree is the tree for every system, on os.Root.
type rootTree struct {
	root  *os.Root
	links bool
}

func openRootTree(path string, a *access) (openedTree, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		if info, statErr := os.Stat(path); statErr == nil && !info.IsDir() {
			return nil, remote.ErrNotDir
		}
		return nil, err
	}
	return &rootTree{root, a.links}, nil
}

func (t *rootTree) close() error { return t.root.Close() }

func (t *rootTree) place() (place, error) { return placeOf(t.root.Stat(".")) }

func (t *rootTree) now() (place, error) { return placeOf(os.Stat(t.root.Name())) }

func placeOf(info fs.FileInfo, err error) (place, error) {
	if err != nil {
		return place{}, err
	}
	m := metaOf(info)
	return place{dev: m.dev, ino: m.ino}, nil
}

func (t *rootTree) dir(name string) (dir, error) {
	m, err := t.stat(name)
	if err != nil {
		return nil, err
	}
	if m.kind != directory {
		return nil, remote.ErrNotDir
	}
	return &rootDir{t, name}, nil
}

func (t *rootTree) stat(name string) (meta, error) {
	if !t.links {
		if err := t.noLinks(name); err != nil {
			return meta{}, err
		}
	}
	info, err := t.root.Stat(name)
	if err != nil {
		return meta{}, escaped(err)
	}
	return metaOf(info), nil
}

// noLinks returns ErrNotExist when name or a directory on the way to it is a link.
func (t *rootTree) noLinks(name string) error {
	for i := 0; i < len(name); i++ {
		n := strings.IndexByte(name[i:], '/')
		if n < 0 {
			n = len(name) - i
		}
		i += n
		info, err := t.root.Lstat(name[:i])
		if err != nil {
			return escaped(err)
		}
		if kindOf(info.Mode()) == link {
			return remote.ErrNotExist
		}
	}
	return nil
}

// escaped returns errOutside for the error with which os.Root refuses a link that leads outside. It
// is the only one of its errors that does not come from the system.
func escaped(err error) error {
	var errno syscall.Errno
	if err == nil || errors.As(err, &errno) || errors.Is(err, fs.ErrClosed) {
		return err
	}
	return errOutside
}

func (t *rootTree) openFile(name string) (*os.File, meta, error) {
	m, err := t.stat(name)
	if err != nil || m.kind != regular {
		return nil, m, err
	}
	// Who put something else there meanwhile finds that it is not waited for.
	f, err := t.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, meta{}, escaped(err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, meta{}, err
	}
	if m = metaOf(info); m.kind != regular {
		f.Close()
		return nil, m, nil
	}
	return f, m, nil
}

func (t *rootTree) chtimes(name string, when time.Time) error {
	if _, err := t.stat(name); err != nil {
		return err
	}
	return escaped(t.root.Chtimes(name, time.Time{}, when))
}

func (t *rootTree) chmod(name string, perm fs.FileMode) error {
	if _, err := t.stat(name); err != nil {
		return err
	}
	return escaped(t.root.Chmod(name, perm))
}

// rootDir is a directory of a rootTree: no more than its path.
type rootDir struct {
	t    *rootTree
	path string
}

func (d *rootDir) name(base string) string { return remote.Join(d.path, base) }

func (d *rootDir) close() {}

func (d *rootDir) lstat(base string) (meta, error) {
	info, err := d.t.root.Lstat(d.name(base))
	if err != nil {
		return meta{}, escaped(err)
	}
	m := metaOf(info)
	m.name = base
	return m, nil
}

func (d *rootDir) create(base string, perm fs.FileMode) (*os.File, error) {
	f, err := d.t.root.OpenFile(d.name(base), os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	return f, escaped(err)
}

func (d *rootDir) reopen(base string) (*os.File, error) {
	m, err := d.lstat(base)
	if err != nil {
		return nil, err
	}
	if m.kind != regular {
		return nil, remote.ErrPermission
	}
	f, err := d.t.root.OpenFile(d.name(base), os.O_RDWR|syscall.O_NONBLOCK, 0)
	return f, escaped(err)
}

func (d *rootDir) writable(base string) error {
	f, err := d.t.root.OpenFile(d.name(base), os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return escaped(err)
	}
	return f.Close()
}

func (d *rootDir) rename(from string, in dir, to string, replace bool) error {
	target := in.(*rootDir)
	if !replace {
		switch _, err := target.lstat(to); {
		case err == nil:
			return remote.ErrExist
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
	}
	return escaped(d.t.root.Rename(d.name(from), target.name(to)))
}

func (d *rootDir) remove(base string) error { return escaped(d.t.root.Remove(d.name(base))) }

func (d *rootDir) mkdir(base string, perm fs.FileMode) error {
	return escaped(d.t.root.Mkdir(d.name(base), perm))
}

func (d *rootDir) sync() error {
	f, err := d.t.root.Open(d.path)
	if err != nil {
		return escaped(err)
	}
	return errors.Join(syncDir(f), f.Close())
}

func (d *rootDir) rmdir(base string) error {
	m, err := d.lstat(base)
	if err != nil {
		return err
	}
	if m.kind != directory {
		return remote.ErrNotDir
	}
	return escaped(d.t.root.Remove(d.name(base)))
}

func (d *rootDir) chtimes(base string, when time.Time) error {
	return escaped(d.t.root.Chtimes(d.name(base), time.Time{}, when))
}

// list reads names in batches and describes each by its path beneath the root.
func (d *rootDir) list(ctx context.Context, yield func(*meta) bool) error {
	f, err := d.t.root.Open(d.path)
	if err != nil {
		return escaped(err)
	}
	defer f.Close()
	for {
		names, err := f.Readdirnames(256)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for _, name := range names {
			m, ok, err := d.describe(name)
			if err != nil {
				return err
			}
			if ok && !yield(&m) {
				return nil
			}
		}
	}
}

// describe is lstat for list: entries that are gone or that are not shown are not ok.
func (d *rootDir) describe(base string) (m meta, ok bool, err error) {
	m, err = d.lstat(base)
	if errors.Is(err, fs.ErrNotExist) || deadMount(err) {
		return m, false, nil
	}
	if err != nil {
		return m, false, err
	}
	if m.kind == link {
		if !d.t.links {
			return m, false, nil
		}
		if m, err = d.t.stat(d.name(base)); err != nil {
			return m, false, nil
		}
		m.name = base
	}
	return m, m.kind != special, nil
}
