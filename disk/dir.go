package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"time"
)

// batch is how many directory entries are read at once.
const batch = 256

// dir is a Disk on a real directory.
type dir struct {
	root    *os.Root
	name    string // as it was opened
	boot    string
	subs    subs // open directories
	unnamed unnamed
}

// Open returns the directory name of the local disk. If it does not exist, it is made with its
// parents: accessible to its owner only, and durable.
func Open(name string) (Disk, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return nil, err
	}
	if err := makeDurable(abs); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, err
	}
	return &dir{root: root, name: name, boot: bootID()}, nil
}

// makeDurable makes the directory abs and its missing parents, and syncs each entry.
func makeDurable(abs string) error {
	if info, err := os.Stat(abs); err == nil && info.IsDir() {
		return nil
	}
	parent := filepath.Dir(abs)
	if parent != abs {
		if err := makeDurable(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(abs, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	f, err := os.Open(parent)
	if err != nil {
		return err
	}
	defer f.Close()
	return syncDir(f)
}

func (d *dir) OpenFile(name string, flag int) (File, error) {
	f, err := d.openFile(name, flag)
	if err != nil {
		return nil, err
	}
	return file{f}, nil
}

func (d *dir) Rename(from, to string) error { return d.rename(from, to) }

func (d *dir) Remove(name string) error { return d.remove(name) }

func (d *dir) Mkdir(name string) error {
	err := d.root.Mkdir(name, 0o700)
	if errors.Is(err, fs.ErrExist) {
		if info, statErr := d.root.Stat(name); statErr == nil && info.IsDir() {
			return nil
		}
	}
	return err
}

func (d *dir) ReadDir(name string) iter.Seq2[fs.DirEntry, error] {
	return func(yield func(fs.DirEntry, error) bool) {
		f, err := d.root.Open(name)
		if err != nil {
			yield(nil, err)
			return
		}
		defer f.Close()
		for {
			entries, err := f.ReadDir(batch)
			for _, e := range entries {
				if !yield(e, nil) {
					return
				}
			}
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

func (d *dir) SyncDir(name string) error {
	f, release, err := d.openDir(name)
	if err != nil {
		return err
	}
	defer release()
	return syncDir(f)
}

func (d *dir) Free() (int64, error) {
	f, release, err := d.openDir(".")
	if err != nil {
		return 0, err
	}
	defer release()
	free, err := freeBytes(f)
	if err != nil {
		return 0, fmt.Errorf("free space of %s: %w", d.name, err)
	}
	return free, nil
}

func (d *dir) Boot() string { return d.boot }

func (d *dir) Close() error { return errors.Join(d.subs.close(), d.root.Close()) }

// file is a File on a real disk.
type file struct{ *os.File }

func (f file) ReadFromAt(r io.Reader, off int64) (int64, error) {
	if _, err := f.Seek(off, io.SeekStart); err != nil {
		return 0, err
	}
	return f.ReadFrom(r)
}

func (f file) Reader(off int64) (io.ReadCloser, error) {
	if _, err := f.Seek(off, io.SeekStart); err != nil {
		return nil, err
	}
	return f.File, nil
}

func (f file) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (f file) ModTime() (time.Time, error) {
	info, err := f.Stat()
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), nil
}

func (f file) PunchHole(off, n int64) error { return punchHole(f.File, off, n) }
