package disktest

import (
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path"
	"slices"
	"syscall"
	"time"

	"ferry/disk"
)

// OpenFile implements disk.Disk.
func (d *Disk) OpenFile(name string, flag int) (disk.File, error) {
	begin, op := d.begin, "open"
	if flag&os.O_CREATE != 0 && !d.exists(name) {
		begin, op = d.change, "create"
	}
	if err := begin(op, name, ""); err != nil {
		return nil, err
	}
	defer d.mu.Unlock()
	n, err := d.names.find("open", name)
	switch {
	case err != nil:
		return nil, err
	case n == nil && flag&os.O_CREATE == 0:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	case n != nil && flag&os.O_EXCL != 0:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrExist}
	case n != nil && n.dir:
		return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.EISDIR}
	case n == nil:
		n = newNode(name, false)
		n.uses++
		d.names.apply(change{name: n})
	}
	n.uses++
	f := &file{d: d, n: n, writable: flag&(os.O_RDWR|os.O_WRONLY) != 0}
	if flag&os.O_TRUNC != 0 {
		d.used -= n.truncated(0) * PageSize
	}
	return f, nil
}

func (d *Disk) exists(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.names.live[name] != nil
}

// Rename implements disk.Disk, for files.
func (d *Disk) Rename(from, to string) error {
	if err := d.change("rename", from, to); err != nil {
		return err
	}
	defer d.mu.Unlock()
	n, err := d.names.existing("rename", from)
	if err != nil {
		return err
	}
	old, err := d.names.find("rename", to)
	if err != nil {
		return err
	}
	if n.dir || old != nil && old.dir {
		return &fs.PathError{Op: "rename", Path: to, Err: syscall.EISDIR}
	}
	if n == old {
		return nil
	}
	if old != nil {
		d.release(old)
	}
	n.name = to
	d.names.apply(change{from: nil, to: n})
	return nil
}

// release ends one use of a file.
//
// LOCKS_REQUIRED(d.mu)
func (d *Disk) release(n *node) {
	n.uses--
	if n.uses == 0 && !n.dir {
		d.used -= int64(len(n.pages)) * PageSize
	}
}

// Remove implements disk.Disk.
func (d *Disk) Remove(name string) error {
	if err := d.change("remove", name, ""); err != nil {
		return err
	}
	defer d.mu.Unlock()
	n, err := d.names.existing("remove", name)
	if err != nil {
		return err
	}
	if n.dir && len(d.in(name)) > 0 {
		return &fs.PathError{Op: "remove", Path: name, Err: syscall.ENOTEMPTY}
	}
	d.release(n)
	d.names.apply(change{name: nil})
	return nil
}

// Mkdir implements disk.Disk.
func (d *Disk) Mkdir(name string) error {
	if err := d.change("mkdir", name, ""); err != nil {
		return err
	}
	defer d.mu.Unlock()
	n, err := d.names.find("mkdir", name)
	switch {
	case err != nil:
		return err
	case n == nil:
		d.names.apply(change{name: newNode(name, true)})
	case !n.dir:
		return &fs.PathError{Op: "mkdir", Path: name, Err: fs.ErrExist}
	}
	return nil
}

// ReadDir implements disk.Disk, in order.
func (d *Disk) ReadDir(name string) iter.Seq2[fs.DirEntry, error] {
	return func(yield func(fs.DirEntry, error) bool) {
		if err := d.begin("readdir", name, ""); err != nil {
			yield(nil, err)
			return
		}
		n, err := d.names.existing("readdir", name)
		if err == nil && !n.dir {
			err = &fs.PathError{Op: "readdir", Path: name, Err: syscall.ENOTDIR}
		}
		entries := d.in(name)
		d.mu.Unlock()
		if err != nil {
			yield(nil, err)
			return
		}
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// in lists a directory.
//
// LOCKS_REQUIRED(d.mu)
func (d *Disk) in(dir string) []entry {
	var entries []entry
	for _, name := range slices.Sorted(maps.Keys(d.names.live)) {
		if name != "." && path.Dir(name) == dir {
			n := d.names.live[name]
			entries = append(entries, entry{name: path.Base(name), size: n.size, dir: n.dir})
		}
	}
	return entries
}

// SyncDir implements disk.Disk.
func (d *Disk) SyncDir(name string) error {
	if err := d.change("syncdir", name, ""); err != nil {
		return err
	}
	defer d.mu.Unlock()
	if _, err := d.names.existing("syncdir", name); err != nil {
		return err
	}
	d.names.sync(name)
	return nil
}

// An entry is a file as ReadDir found it.
type entry struct {
	name string
	size int64
	dir  bool
}

func (e entry) Name() string               { return e.name }
func (e entry) IsDir() bool                { return e.dir }
func (e entry) Type() fs.FileMode          { return e.Mode().Type() }
func (e entry) Info() (fs.FileInfo, error) { return e, nil }
func (e entry) Size() int64                { return e.size }
func (e entry) ModTime() time.Time         { return time.Time{} }
func (e entry) Sys() any                   { return nil }
func (e entry) String() string             { return fmt.Sprintf("%s %d", e.name, e.size) }
func (e entry) Mode() fs.FileMode {
	if e.dir {
		return fs.ModeDir | 0o700
	}
	return 0o600
}
