package local

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"ferry/remote"
	"ferry/remote/partname"
)

// syncedTree is a tree whose directories sync what is changed in them before they say that it is
// done. Hidden files are nobody's but ferry's, and left out.
type syncedTree struct{ tree }

func (t syncedTree) dir(name string) (dir, error) {
	d, err := t.tree.dir(name)
	if err != nil {
		return nil, err
	}
	return syncedDir{d}, nil
}

type syncedDir struct{ dir }

func (d syncedDir) rename(from string, in dir, to string, replace bool) error {
	target := in.(syncedDir)
	if err := d.dir.rename(from, target.dir, to, replace); err != nil || partname.Hidden(to) {
		return err
	}
	err := target.sync()
	if target != d && !partname.Hidden(from) {
		err = errors.Join(err, d.sync())
	}
	return err
}

func (d syncedDir) remove(base string) error {
	if err := d.dir.remove(base); err != nil || partname.Hidden(base) {
		return err
	}
	return d.sync()
}

func (d syncedDir) mkdir(base string, perm os.FileMode) error {
	if err := d.dir.mkdir(base, perm); err != nil {
		return err
	}
	return d.sync()
}

func (d syncedDir) rmdir(base string) error {
	if err := d.dir.rmdir(base); err != nil {
		return err
	}
	return d.sync()
}

// sync writes the content of the stage and its time to the disk. Where that fails nobody knows what
// is there.
// LOCKS_REQUIRED(s.mu)
func (s *stage) sync(modTime time.Time) error {
	if !modTime.IsZero() {
		if err := s.at.dir.chtimes(s.Part, modTime); err != nil {
			return err
		}
	}
	return s.r.syncFile(s.file)
}

// syncDir syncs an open directory.
func syncDir(f *os.File) error {
	if runtime.GOOS == "windows" { // NTFS keeps its directories in a journal, and they cannot be flushed
		return nil
	}
	err := f.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("%w: this file system does not sync directories; leave --local-sync out", remote.ErrUnsupported)
	}
	return err
}
