package local

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A served tree is that of a directory which may be unmounted, removed, made again and mounted late. It opens the
// directory anew for every call and for every dir, so that nothing keeps a mount busy in between, and refuses with an
// awayError what would reach another directory than the one that is meant: one beneath a mount point where a mount was
// before, or is required.
type served struct {
	path    string
	access  *access
	open    openFunc
	mountOf func(path string) string // the mount point that path is on, "" for that of the root of the system
	needed  string                   // the mount point that is required, anyMount for one or the other, "" for none

	mu     sync.Mutex
	closed bool   // guarded by mu
	seen   bool   // guarded by mu; it was there, at the place at
	at     place  // guarded by mu; where the directory was last time
	mount  string // guarded by mu; the mount point that it was on
}

// An openFunc opens the tree beneath path.
type openFunc func(path string, a *access) (openedTree, error)

// An access is how the trees of one remote reach files, and what they share.
type access struct {
	links   bool      // follow those that stay inside
	buffers sync.Pool // of *[dirBuffer]byte

	look     sync.Once
	portable bool // written once; only os.Root works here
}

// A place tells directories apart. Mount is 0 where the system does not number its mounts.
type place struct{ dev, ino, mount uint64 }

// anyMount is a required mount point that may be any but that of the root of the system.
const anyMount = "*"

// An awayError is why the served directory cannot be reached. It is no answer: whatever the reason is, it does not say
// that something does not exist.
type awayError struct{ why string }

func (e *awayError) Error() string { return "the served directory is not there: " + e.why }

// Hint returns one line for the client.
func (e *awayError) Hint() string {
	return "The storage is not there at the moment; try again when it is."
}

// errMoved is a directory that became another one while it was looked at.
var errMoved = &awayError{"another directory has come to its place"}

// enter opens the tree as it is now. The caller closes it.
func (s *served) enter() (openedTree, place, error) {
	var err error
	for range 3 { // something may be mounted at this moment
		var t openedTree
		if t, err = s.open(s.path, s.access); err != nil {
			return nil, place{}, s.unreachable(err)
		}
		var at place
		if at, err = t.place(); err == nil {
			err = s.accept(at)
		}
		if err == nil {
			return t, at, nil
		}
		t.close()
		if err != errMoved {
			break
		}
	}
	return nil, place{}, err
}

// begin is enter for the start: it says in the words of the system what is wrong, and lets nothing but a mount come later.
func (s *served) begin() (place, error) {
	t, at, err := s.enter()
	switch {
	case err == nil:
		t.close()
		return at, nil
	case s.needed != "" && errors.As(err, new(*awayError)):
		return place{}, nil
	}
	if t, err := s.open(s.path, s.access); err != nil {
		return place{}, err
	} else {
		t.close()
	}
	return place{}, err
}

// accept returns nil if the directory at is the one that is meant.
func (s *served) accept(at place) error {
	if known, err := s.knows(at); known || err != nil {
		return err
	}
	mount := s.mountOf(s.path)
	if err := s.still(at); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.needed == anyMount && mount == "":
		return &awayError{"no file system is mounted there (--require-mount)"}
	case s.needed != "" && s.needed != anyMount && !onMount(mount, s.needed):
		return &awayError{"nothing is mounted at " + s.needed + " (--require-mount)"}
	case s.mount != "" && !onMount(mount, s.mount):
		return &awayError{"what was mounted at " + s.mount + " has gone"}
	}
	s.seen, s.at, s.mount = true, at, mount
	return nil
}

// knows reports whether the directory was at the same place last time.
func (s *served) knows(at place) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false, fs.ErrClosed
	}
	return s.seen && s.at == at, nil
}

// onMount reports whether mount is the mount point wanted or one below it.
func onMount(mount, wanted string) bool {
	return mount == wanted || strings.HasPrefix(mount, wanted+string(os.PathSeparator))
}

// still returns nil if the directory is the one that was there.
func (s *served) still(at place) error {
	t, err := s.open(s.path, s.access)
	if err != nil {
		return s.unreachable(err)
	}
	defer t.close()
	if now, err := t.place(); err != nil || now != at {
		return errMoved
	}
	return nil
}

// unreachable makes an awayError of the error with which the directory could not be opened, unless that says why a
// directory that is there cannot be.
func (s *served) unreachable(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return fs.ErrClosed
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return err
	}
	return &awayError{translate(err).Error()}
}

// explain returns err, or that the directory has gone, if that can be the reason of it.
func (s *served) explain(at place, err error) error {
	if errors.Is(err, fs.ErrNotExist) || deadMount(err) {
		if away := s.still(at); away != nil {
			return away
		}
	}
	return err
}

// within calls use with the tree as it is now.
func (s *served) within(use func(t tree) error) error {
	t, at, err := s.enter()
	if err != nil {
		return err
	}
	defer t.close()
	return s.explain(at, use(t))
}

func (s *served) dir(name string) (dir, error) {
	t, at, err := s.enter()
	if err != nil {
		return nil, err
	}
	d, err := t.dir(name)
	if err != nil {
		t.close()
		return nil, s.explain(at, err)
	}
	return &servedDir{d, s, t, at}, nil
}

func (s *served) stat(name string) (m meta, err error) {
	err = s.within(func(t tree) error {
		m, err = t.stat(name)
		return err
	})
	return m, err
}

func (s *served) openFile(name string) (f *os.File, m meta, err error) {
	err = s.within(func(t tree) error {
		f, m, err = t.openFile(name)
		return err
	})
	return f, m, err
}

func (s *served) chtimes(name string, when time.Time) error {
	return s.within(func(t tree) error { return t.chtimes(name, when) })
}

func (s *served) chmod(name string, perm fs.FileMode) error {
	return s.within(func(t tree) error { return t.chmod(name, perm) })
}

func (s *served) usage() (total, free int64, err error) {
	err = s.within(func(t tree) error {
		total, free, err = t.usage()
		return err
	})
	return total, free, err
}

func (s *served) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

// A servedDir is a directory in a served tree, open together with that.
type servedDir struct {
	dir
	s  *served
	t  tree
	at place
}

func (d *servedDir) close() {
	d.dir.close()
	d.t.close()
}

func (d *servedDir) lstat(base string) (meta, error) {
	m, err := d.dir.lstat(base)
	return m, d.s.explain(d.at, err)
}

func (d *servedDir) create(base string, perm fs.FileMode) (*os.File, error) {
	f, err := d.dir.create(base, perm)
	return f, d.s.explain(d.at, err)
}

func (d *servedDir) reopen(base string) (*os.File, error) {
	f, err := d.dir.reopen(base)
	return f, d.s.explain(d.at, err)
}

func (d *servedDir) writable(base string) error { return d.s.explain(d.at, d.dir.writable(base)) }
func (d *servedDir) remove(base string) error   { return d.s.explain(d.at, d.dir.remove(base)) }
func (d *servedDir) rmdir(base string) error    { return d.s.explain(d.at, d.dir.rmdir(base)) }

func (d *servedDir) mkdir(base string, perm fs.FileMode) error {
	return d.s.explain(d.at, d.dir.mkdir(base, perm))
}

func (d *servedDir) chtimes(base string, when time.Time) error {
	return d.s.explain(d.at, d.dir.chtimes(base, when))
}

// rename may come long after the directory was opened: an upload lies between.
func (d *servedDir) rename(from string, in dir, to string, replace bool) error {
	target := in.(*servedDir)
	if err := d.s.still(target.at); err != nil {
		return err
	}
	return d.s.explain(d.at, d.dir.rename(from, target.dir, to, replace))
}

// list fails where the directory has gone meanwhile: that it holds nothing any more is no listing.
func (d *servedDir) list(ctx context.Context, yield func(*meta) bool) error {
	stopped := false
	err := d.dir.list(ctx, func(m *meta) bool {
		stopped = !yield(m)
		return !stopped
	})
	if err != nil || stopped {
		return d.s.explain(d.at, err)
	}
	return d.s.still(d.at)
}
