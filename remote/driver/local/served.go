package local

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A served tree is that of a directory which may be unmounted, removed, made again and mounted
// late. Before every call it looks whether its path still leads to the directory that it has open,
// and opens it anew where it does not; a moment after the last use it closes it, so that nothing
// keeps a mount busy. It refuses with an awayError what would reach another directory than the one
// that is meant: one beneath a mount point where a mount was before, or is required.
type served struct {
	path    string
	access  *access
	open    openFunc
	mountOf func(path string) string // the mount point that path is on, "" for that of the root of the system
	needed  string                   // the mount point that is required, anyMount for one or the other, "" for none
	record  string                   // file that tells the next process mount and at, "" for none

	mu         sync.Mutex
	closed     bool        // guarded by mu
	held       *held       // guarded by mu; the directory as it was opened last, nil = not open
	idle       *time.Timer // guarded by mu; runs while held is not nil
	seen       bool        // guarded by mu; it was there since the start, at the place at
	at         place       // guarded by mu; where the directory was last time
	mount      string      // guarded by mu; the mount point that it was on
	unrecorded error       // guarded by mu; why record does not say so
}

// A held directory is open, and closed when its last user leaves and it is not kept for the next
// one.
type held struct {
	openedTree
	at    place
	users int  // guarded by served.mu
	used  bool // guarded by served.mu; since linger began
}

// linger is how long the directory is kept open after its last use, or twice as long at most.
const linger = time.Second

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

// An awayError is why the served directory cannot be reached. It is no answer: whatever the reason
// is, it does not say that something does not exist.
type awayError struct{ why string }

func (e *awayError) Error() string { return "the served directory is not there: " + e.why }

// Hint returns one line for the client.
func (e *awayError) Hint() string {
	return "The storage is not there at the moment; try again when it is."
}

// errMoved is a directory that became another one while it was looked at.
var errMoved = &awayError{"another directory has come to its place"}

// enter returns the directory as it is now. The caller leaves it.
func (s *served) enter() (*held, error) {
	if h := s.take(); h != nil {
		if s.still(h) == nil {
			return h, nil
		}
		s.drop(h)
		s.leave(h)
	}
	var err error
	for range 3 { // something may be mounted at this moment
		h := &held{users: 1}
		if h.openedTree, err = s.open(s.path, s.access); err != nil {
			return nil, s.unreachable(err)
		}
		if h.at, err = h.place(); err == nil {
			err = s.accept(h)
		}
		if err == nil {
			s.keep(h)
			return h, nil
		}
		h.close()
		if err != errMoved {
			break
		}
	}
	return nil, err
}

// take returns the directory that is open, nil where none is.
func (s *served) take() *held {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held != nil {
		s.held.users++
		s.held.used = true
	}
	return s.held
}

// keep keeps h for others, if none is kept.
func (s *served) keep(h *held) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held != nil || s.closed {
		return
	}
	s.held = h
	s.idle = time.AfterFunc(linger, s.expire)
}

// drop keeps h no more.
func (s *served) drop(h *held) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == h {
		s.held = nil
		s.idle.Stop()
	}
}

// leave ends a use of h.
func (s *served) leave(h *held) {
	s.mu.Lock()
	h.users--
	last := h.users == 0 && s.held != h
	s.mu.Unlock()
	if last {
		h.close()
	}
}

// expire closes the directory unless it is in use, or was a moment ago.
func (s *served) expire() {
	s.mu.Lock()
	h := s.held
	switch {
	case h == nil:
	case h.users > 0 || h.used:
		h.used = false
		s.idle.Reset(linger)
		h = nil
	default:
		s.held = nil
	}
	s.mu.Unlock()
	if h != nil {
		h.close()
	}
}

// begin is enter for the start: it says in the words of the system what is wrong, and lets nothing
// but a mount come later.
func (s *served) begin() (place, error) {
	h, err := s.enter()
	switch {
	case err == nil:
		defer s.leave(h)
		return h.at, nil
	case s.mayCome() && errors.As(err, new(*awayError)):
		return place{}, nil
	}
	if t, err := s.open(s.path, s.access); err != nil {
		return place{}, err
	} else {
		t.close()
	}
	return place{}, err
}

// mayCome reports whether it is a mount point that is not there: the directory comes with what is
// mounted there.
func (s *served) mayCome() bool {
	return s.needed != "" || s.mount != "" && !onMount(s.mountOf(s.mount), s.mount)
}

// accept returns nil if the directory h is the one that is meant.
func (s *served) accept(h *held) error {
	if known, err := s.knows(h.at); known || err != nil {
		return err
	}
	mount := s.mountOf(s.path)
	if err := s.still(h); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.needed == anyMount && mount == "":
		return &awayError{"no file system is mounted there (--require-mount)"}
	case s.needed != "" && s.needed != anyMount && !onMount(mount, s.needed):
		return &awayError{"nothing is mounted at " + s.needed + " (--require-mount)"}
	case s.mount == "" || onMount(mount, s.mount) || h.at.same(s.at):
	case s.seen:
		return &awayError{"what was mounted at " + s.mount + " has gone"}
	case !s.forgotten():
		return &awayError{"nothing is mounted at " + s.mount + ", where it was; if it is to be a plain directory, remove " + s.record}
	}
	s.arrive(h.at, mount)
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

// still returns nil if the path leads to the directory h.
func (s *served) still(h *held) error {
	switch now, err := h.now(); {
	case err != nil:
		return s.unreachable(err)
	case now != h.at:
		return errMoved
	}
	return nil
}

// unreachable makes an awayError of the error with which the directory could not be opened, unless
// that says why a directory that is there cannot be.
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

// explain returns err, or that the directory h has gone, if that can be the reason of it.
func (s *served) explain(h *held, err error) error {
	if errors.Is(err, fs.ErrNotExist) || deadMount(err) {
		if away := s.still(h); away != nil {
			return away
		}
	}
	return err
}

// within calls use with the tree as it is now.
func (s *served) within(use func(t tree) error) error {
	h, err := s.enter()
	if err != nil {
		return err
	}
	defer s.leave(h)
	return s.explain(h, use(h))
}

func (s *served) dir(name string) (dir, error) {
	h, err := s.enter()
	if err != nil {
		return nil, err
	}
	d, err := h.dir(name)
	if err != nil {
		err = s.explain(h, err)
		s.leave(h)
		return nil, err
	}
	return &servedDir{d, s, h}, nil
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
	s.closed = true
	h := s.held
	if s.held = nil; h != nil {
		s.idle.Stop()
		h.users++
	}
	s.mu.Unlock()
	if h != nil {
		s.leave(h)
	}
	return nil
}
