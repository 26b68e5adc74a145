package local

import (
	"errors"
	"io/fs"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// An fdDir is an open directory. It is closed when the last of those who acquired it has closed it.
type fdDir struct {
	t    *beneath
	path string // when it was opened; only for following links
	fd   int
	refs atomic.Int64
}

func newFdDir(t *beneath, path string, fd int) *fdDir {
	d := &fdDir{t: t, path: path, fd: fd}
	d.refs.Store(1)
	return d
}

// acquire counts another user, unless the directory is closed already.
func (d *fdDir) acquire() bool {
	for {
		n := d.refs.Load()
		if n == 0 {
			return false
		}
		if d.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (d *fdDir) close() {
	if d.refs.Add(-1) == 0 {
		unix.Close(d.fd)
	}
}

func (d *fdDir) lstat(base string) (meta, error) {
	var st unix.Statx_t
	err := retry(func() error {
		return unix.Statx(d.fd, base, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_BASIC_STATS, &st)
	})
	if err != nil {
		return meta{}, err
	}
	return metaOfStatx(base, &st), nil
}

func (d *fdDir) create(base string, perm fs.FileMode) (*os.File, error) {
	fd, err := d.openat(base, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, perm)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), base), nil
}

func (d *fdDir) reopen(base string) (*os.File, error) {
	fd, err := d.openat(base, unix.O_RDWR|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	m, err := statFd(fd)
	if err == nil && m.kind != regular {
		err = unix.EACCES
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), base), nil
}

func (d *fdDir) openat(base string, flags int, perm fs.FileMode) (fd int, err error) {
	err = retry(func() error {
		fd, err = unix.Openat(d.fd, base, flags|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_LARGEFILE, uint32(perm.Perm()))
		return err
	})
	return fd, err
}

func (d *fdDir) writable(base string) error {
	return retry(func() error {
		return unix.Faccessat(d.fd, base, unix.W_OK, unix.AT_EACCESS|unix.AT_SYMLINK_NOFOLLOW)
	})
}

func (d *fdDir) rename(from string, in dir, to string, replace bool) error {
	target := in.(*fdDir)
	if replace {
		return retry(func() error { return unix.Renameat(d.fd, from, target.fd, to) })
	}
	err := retry(func() error { return unix.Renameat2(d.fd, from, target.fd, to, unix.RENAME_NOREPLACE) })
	if err != unix.EINVAL && err != unix.ENOSYS {
		return err
	}
	// The file system cannot refuse by itself.
	switch _, err := target.lstat(to); err {
	case unix.ENOENT:
		return retry(func() error { return unix.Renameat(d.fd, from, target.fd, to) })
	case nil:
		return unix.EEXIST
	default:
		return err
	}
}

func (d *fdDir) remove(base string) error {
	return retry(func() error { return unix.Unlinkat(d.fd, base, 0) })
}

func (d *fdDir) mkdir(base string, perm fs.FileMode) error {
	return retry(func() error { return unix.Mkdirat(d.fd, base, uint32(perm.Perm())) })
}

func (d *fdDir) rmdir(base string) error {
	return retry(func() error { return unix.Unlinkat(d.fd, base, unix.AT_REMOVEDIR) })
}

func (d *fdDir) sync() error {
	fd, err := d.openat(".", unix.O_RDONLY|unix.O_DIRECTORY, 0) // its own can only be resolved from
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), d.path)
	return errors.Join(syncDir(f), f.Close())
}

func (d *fdDir) chtimes(base string, t time.Time) error {
	modified, err := unix.TimeToTimespec(t)
	if err != nil {
		return err
	}
	times := []unix.Timespec{{Nsec: unix.UTIME_OMIT}, modified}
	return retry(func() error { return unix.UtimesNanoAt(d.fd, base, times, unix.AT_SYMLINK_NOFOLLOW) })
}
