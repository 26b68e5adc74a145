package disk

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// maxSubs bounds the directories that are kept open. Names in others are resolved by the os.Root
// each time.
const maxSubs = 512

// subs are directories of the tree that are kept open, so that an operation on a file in them is
// one system call. They are opened through the os.Root; links below them are not followed.
type subs struct {
	mu   sync.RWMutex
	open map[string]*os.File
}

func (s *subs) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	for _, f := range s.open {
		err = errors.Join(err, f.Close())
	}
	s.open = nil
	return err
}

// sub returns the directory name, or nil if it is not kept open. A removed directory stays open: it
// is empty then.
func (d *dir) sub(name string) *os.File {
	d.subs.mu.RLock()
	f, full := d.subs.open[name], len(d.subs.open) >= maxSubs
	d.subs.mu.RUnlock()
	if f != nil || full || !fs.ValidPath(name) {
		return f
	}
	opened, err := d.root.OpenFile(name, os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil // the os.Root will return the error
	}
	d.subs.mu.Lock()
	defer d.subs.mu.Unlock()
	if f := d.subs.open[name]; f != nil {
		opened.Close()
		return f
	}
	if d.subs.open == nil {
		d.subs.open = map[string]*os.File{}
	}
	d.subs.open[name] = opened
	return opened
}

// parent returns the directory of name and its last element, or nil if the os.Root must resolve it.
func (d *dir) parent(name string) (*os.File, string) {
	if !fs.ValidPath(name) || name == "." {
		return nil, ""
	}
	return d.sub(path.Dir(name)), path.Base(name)
}

func (d *dir) openFile(name string, flag int) (*os.File, error) {
	in, base := d.parent(name)
	if in == nil {
		return d.root.OpenFile(name, flag, 0o600)
	}
	var fd int
	err := retryEINTR(func() (err error) {
		fd, err = unix.Openat(int(in.Fd()), base, flag|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_LARGEFILE, 0o600)
		return err
	})
	runtime.KeepAlive(in)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(fd), name), nil
}

func (d *dir) rename(from, to string) error {
	in, base := d.parent(from)
	target, newBase := d.parent(to)
	if in == nil || target == nil {
		return d.root.Rename(from, to)
	}
	err := retryEINTR(func() error { return unix.Renameat(int(in.Fd()), base, int(target.Fd()), newBase) })
	runtime.KeepAlive(in)
	runtime.KeepAlive(target)
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

func (d *dir) remove(name string) error {
	in, base := d.parent(name)
	if in == nil {
		return d.root.Remove(name)
	}
	err := retryEINTR(func() error { return unix.Unlinkat(int(in.Fd()), base, 0) })
	runtime.KeepAlive(in)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EISDIR):
		return d.removeDir(name)
	}
	return &fs.PathError{Op: "remove", Path: name, Err: err}
}

// removeDir removes a directory, so that a new one of that name is opened again.
func (d *dir) removeDir(name string) error {
	if err := d.root.Remove(name); err != nil {
		return err
	}
	d.subs.mu.Lock()
	defer d.subs.mu.Unlock()
	delete(d.subs.open, name) // the garbage collector closes it after its last use
	return nil
}

// openDir returns the open directory name and a function that releases it.
func (d *dir) openDir(name string) (f *os.File, release func(), err error) {
	if f := d.sub(name); f != nil {
		return f, func() {}, nil
	}
	if f, err = d.root.Open(name); err != nil {
		return nil, nil, err
	}
	return f, func() { f.Close() }, nil
}

// retryEINTR repeats a system call that was interrupted by a signal.
func retryEINTR(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}
