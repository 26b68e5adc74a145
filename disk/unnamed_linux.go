package disk

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path"
	"runtime"
	"strconv"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// unnamed is what is known of files without a name.
type unnamed struct{ refused, works atomic.Bool }

// CreateUnnamed implements Namer. The first file is given a name and removed, to see whether that
// can be done.
func (d *dir) CreateUnnamed(name string) (File, error) {
	if d.unnamed.refused.Load() {
		return nil, errors.ErrUnsupported
	}
	if !d.unnamed.works.Load() {
		if err := d.tryUnnamed(name); err != nil {
			return nil, err
		}
		d.unnamed.works.Store(true)
	}
	f, err := d.createUnnamed(name)
	if err != nil {
		return nil, err
	}
	return file{f}, nil
}

func (d *dir) createUnnamed(name string) (*os.File, error) {
	in := d.sub(name)
	if in == nil {
		return nil, errors.ErrUnsupported
	}
	var fd int
	err := retryEINTR(func() (err error) {
		fd, err = unix.Openat(int(in.Fd()), ".", unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC|unix.O_LARGEFILE, 0o600)
		return err
	})
	runtime.KeepAlive(in)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(fd), name), nil
}

// tryUnnamed finds out whether files without a name can be made and named. File systems may lack
// the one, and a process without /proc the other.
func (d *dir) tryUnnamed(name string) error {
	f, err := d.createUnnamed(name)
	if err == nil {
		defer f.Close()
		probe := path.Join(name, rand.Text())
		if err = d.link(f, probe); err == nil {
			err = d.remove(probe)
		}
	}
	for _, never := range []error{errors.ErrUnsupported, unix.EOPNOTSUPP, unix.EISDIR, unix.EINVAL, unix.ENOENT, unix.EPERM, unix.EACCES, unix.EXDEV} {
		if errors.Is(err, never) {
			d.unnamed.refused.Store(true)
			return errors.ErrUnsupported
		}
	}
	return err
}

// Name implements Namer.
func (d *dir) Name(f File, name string) error {
	real, ok := f.(file)
	if !ok {
		return &fs.PathError{Op: "link", Path: name, Err: fs.ErrInvalid}
	}
	return d.link(real.File, name)
}

func (d *dir) link(f *os.File, name string) error {
	target, base := d.parent(name)
	if target == nil {
		return &fs.PathError{Op: "link", Path: name, Err: fs.ErrNotExist}
	}
	from := "/proc/self/fd/" + strconv.Itoa(int(f.Fd()))
	err := retryEINTR(func() error {
		return unix.Linkat(unix.AT_FDCWD, from, int(target.Fd()), base, unix.AT_SYMLINK_FOLLOW)
	})
	runtime.KeepAlive(f)
	runtime.KeepAlive(target)
	if err != nil {
		return &fs.PathError{Op: "link", Path: name, Err: err}
	}
	return nil
}
