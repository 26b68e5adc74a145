package local

import (
	"context"
	"io/fs"
	"os"
	"time"

	"ferry/remote/partname"
)

// A servedDir is a directory in a served tree, open together with that.
type servedDir struct {
	dir
	s *served
	h *held
}

func (d *servedDir) close() {
	d.dir.close()
	d.s.leave(d.h)
}

func (d *servedDir) lstat(base string) (meta, error) {
	m, err := d.dir.lstat(base)
	return m, d.s.explain(d.h, err)
}

// unexplained returns d without the look that it takes, after an error, at whether the served
// directory has gone: for what is followed by calls that take it.
func unexplained(d dir) dir {
	switch d := d.(type) {
	case *servedDir:
		return d.dir
	case syncedDir:
		return unexplained(d.dir)
	}
	return d
}

func (d *servedDir) create(base string, perm fs.FileMode) (*os.File, error) {
	f, err := d.dir.create(base, perm)
	return f, d.s.explain(d.h, err)
}

func (d *servedDir) reopen(base string) (*os.File, error) {
	f, err := d.dir.reopen(base)
	return f, d.s.explain(d.h, err)
}

func (d *servedDir) writable(base string) error { return d.s.explain(d.h, d.dir.writable(base)) }
func (d *servedDir) rmdir(base string) error    { return d.s.explain(d.h, d.dir.rmdir(base)) }

// remove leaves the error of a hidden file as it is: each complete upload looks for the part of its
// name, which mostly is not there, and has just looked whether the directory is.
func (d *servedDir) remove(base string) error {
	err := d.dir.remove(base)
	if partname.Hidden(base) {
		return err
	}
	return d.s.explain(d.h, err)
}

func (d *servedDir) mkdir(base string, perm fs.FileMode) error {
	return d.s.explain(d.h, d.dir.mkdir(base, perm))
}

func (d *servedDir) chtimes(base string, when time.Time) error {
	return d.s.explain(d.h, d.dir.chtimes(base, when))
}

// rename may come long after the directory was opened: an upload lies between.
func (d *servedDir) rename(from string, in dir, to string, replace bool) error {
	target := in.(*servedDir)
	if err := d.s.still(target.h); err != nil {
		return err
	}
	return d.s.explain(d.h, d.dir.rename(from, target.dir, to, replace))
}

// list fails where the directory has gone meanwhile: that it holds nothing any more is no listing.
func (d *servedDir) list(ctx context.Context, yield func(*meta) bool) error {
	stopped := false
	err := d.dir.list(ctx, func(m *meta) bool {
		stopped = !yield(m)
		return !stopped
	})
	if err != nil || stopped {
		return d.s.explain(d.h, err)
	}
	return d.s.still(d.h)
}
