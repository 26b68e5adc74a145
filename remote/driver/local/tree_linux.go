package local

import (
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// beneath is the tree for Linux: the kernel resolves a path beneath the root in one system call
// (openat2), where os.Root makes one for each element. What is not asked for often it leaves to an
// os.Root.
type beneath struct {
	path    string
	access  *access
	top     *fdDir
	resolve uint64
}

// openTree falls back to os.Root where the kernel lacks openat2 or statx, or a sandbox forbids
// them.
func openTree(path string, a *access) (openedTree, error) {
	a.look.Do(func() {
		t, err := openBeneath("/", a)
		if err == nil {
			_, err = t.stat(".")
			t.top.close()
		}
		a.portable = err != nil
	})
	if a.portable {
		return openRootTree(path, a)
	}
	t, err := openBeneath(path, a)
	if err != nil {
		return nil, err
	}
	return t, nil
}

func openBeneath(path string, a *access) (*beneath, error) {
	var fd int
	err := retry(func() (err error) {
		fd, err = unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	t := &beneath{path: path, access: a, resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_MAGICLINKS}
	if !a.links {
		t.resolve |= unix.RESOLVE_NO_SYMLINKS
	}
	t.top = newFdDir(t, ".", fd)
	return t, nil
}

func (t *beneath) close() error {
	t.top.close()
	return nil
}

func (t *beneath) place() (place, error) { return statPlace(t.top.fd, "", unix.AT_EMPTY_PATH) }

func (t *beneath) now() (place, error) { return statPlace(unix.AT_FDCWD, t.path, 0) }

// onRoot leaves a call to an os.Root on the same directory.
func (t *beneath) onRoot(call func(portable openedTree) error) error {
	portable, err := openRootTree(t.path, t.access)
	if err != nil {
		return err
	}
	defer portable.close()
	mine, err := t.place()
	if err != nil {
		return err
	}
	if its, err := portable.place(); err != nil || its.dev != mine.dev || its.ino != mine.ino {
		return errMoved
	}
	return call(portable)
}

func (t *beneath) chtimes(name string, when time.Time) error {
	return t.onRoot(func(portable openedTree) error { return portable.chtimes(name, when) })
}

func (t *beneath) chmod(name string, perm fs.FileMode) error {
	return t.onRoot(func(portable openedTree) error { return portable.chmod(name, perm) })
}

func (t *beneath) usage() (total, free int64, err error) {
	err = t.onRoot(func(portable openedTree) error {
		total, free, err = portable.usage()
		return err
	})
	return total, free, err
}

// openat2 opens name beneath the root.
func (t *beneath) openat2(name string, flags uint64) (int, error) {
	if !t.top.acquire() {
		return -1, fs.ErrClosed
	}
	defer t.top.close()
	how := unix.OpenHow{Flags: flags | unix.O_CLOEXEC | unix.O_LARGEFILE, Resolve: t.resolve}
	// EAGAIN means that something was renamed while a ".." of a link was followed, so that nobody
	// can tell whether it led outside (openat2(2)).
	for range 100 {
		fd, err := unix.Openat2(t.top.fd, name, &how)
		if err != unix.EINTR && err != unix.EAGAIN {
			return fd, err
		}
	}
	return -1, unix.EAGAIN
}

func (t *beneath) dir(name string) (dir, error) {
	if name == "." {
		if !t.top.acquire() {
			return nil, fs.ErrClosed
		}
		return t.top, nil
	}
	fd, err := t.openat2(name, unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	return newFdDir(t, name, fd), nil
}

func (t *beneath) stat(name string) (meta, error) {
	fd, err := t.openat2(name, unix.O_PATH)
	if err != nil {
		return meta{}, err
	}
	defer unix.Close(fd)
	return statFd(fd)
}

func (t *beneath) openFile(name string) (*os.File, meta, error) {
	fd, err := t.openat2(name, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY)
	if err == unix.ENXIO { // a socket, or a device without a driver
		return nil, meta{kind: special}, nil
	}
	if err != nil {
		return nil, meta{}, err
	}
	m, err := statFd(fd)
	if err != nil || m.kind != regular {
		unix.Close(fd)
		return nil, m, err
	}
	return os.NewFile(uintptr(fd), name), m, nil
}
