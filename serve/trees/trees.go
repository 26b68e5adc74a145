// Package trees keeps the trees of files of one process: each is opened when somebody needs it,
// shared by all who do, and closed when nobody has needed it for a while and nothing waits in it.
package trees

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"ferry/vfs"
)

// Options configure a Set.
type Options struct {
	// Idle is how long a tree stays open after its last user; 0 = DefaultIdle.
	Idle time.Duration
	Log  *slog.Logger // nil: nothing is logged
	// Failed is called when the background work of a tree has ended with an error; nil: nobody
	// needs to know. Nobody begins to use that tree any more. When its users have left it is
	// closed, and the next one opens it anew.
	Failed func(tree *vfs.FS)
}

// DefaultIdle is long enough for a device that comes each minute.
const DefaultIdle = 5 * time.Minute

// A Tree is an open tree.
type Tree struct {
	FS *vfs.FS
	// Run does the background work of the tree until ctx ends; nil: there is none. An error means
	// that the tree is of no use any more.
	Run func(ctx context.Context) error
	// Close releases what the Opener acquired. It is called once, when Run has returned and nobody
	// uses FS.
	Close func()
}

// An Opener opens a tree. ctx ends when nobody waits for the tree any more.
type Opener func(ctx context.Context) (*Tree, error)

// ErrClosed is returned by Use after the end of Run.
var ErrClosed = errors.New("the server is stopping")

// A Set holds the trees. Its methods may be called concurrently.
type Set struct {
	opt  Options
	wake chan struct{} // there is something in opened, or a failed tree without users

	mu     sync.Mutex
	trees  map[string]*entry // guarded by mu
	opened []*entry          // guarded by mu; their Run has not been started
	closed bool              // guarded by mu
}

// An entry is a tree that is being opened, open, or being closed.
type entry struct {
	key    string
	giveUp context.CancelFunc // ends the Opener
	ready  chan struct{}      // closed when tree or err is set
	tree   *Tree              // read after ready
	err    error              // read after ready

	users   int           // guarded by Set.mu
	idle    time.Time     // guarded by Set.mu; since when there have been no users
	started bool          // guarded by Set.mu; its Run has been started
	failed  error         // guarded by Set.mu; of its Run
	closing bool          // guarded by Set.mu; nobody may begin to use it
	gone    chan struct{} // closed when it is closed; then the key can be opened again
}

// New returns an empty Set.
func New(o Options) *Set {
	if o.Idle <= 0 {
		o.Idle = DefaultIdle
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Set{opt: o, wake: make(chan struct{}, 1), trees: map[string]*entry{}}
}

// Use returns the tree that key names, and opens it by open if it is not open. Keys appear in the
// log. The caller calls release once, when it no longer uses the tree. If it cannot be opened, all
// who waited for that get the error; the next Use tries again.
func (s *Set) Use(ctx context.Context, key string, open Opener) (tree *vfs.FS, release func(), err error) {
	for {
		e, closing, err := s.enter(ctx, key, open)
		switch {
		case err != nil:
			return nil, nil, err
		case closing:
			select {
			case <-e.gone:
				continue
			case <-ctx.Done():
				return nil, nil, context.Cause(ctx)
			}
		}
		select {
		case <-e.ready:
		case <-ctx.Done():
			s.leave(e)
			return nil, nil, context.Cause(ctx)
		}
		if e.err != nil {
			s.leave(e)
			return nil, nil, e.err
		}
		return e.tree.FS, sync.OnceFunc(func() { s.leave(e) }), nil
	}
}

// enter makes the caller a user of an entry, unless that is being closed.
func (s *Set) enter(ctx context.Context, key string, open Opener) (e *entry, closing bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, false, ErrClosed
	}
	e = s.trees[key]
	if e == nil {
		opening, cancel := context.WithCancel(context.WithoutCancel(ctx))
		e = &entry{key: key, giveUp: cancel, ready: make(chan struct{}), gone: make(chan struct{})}
		s.trees[key] = e
		go s.open(opening, e, open)
	}
	if e.closing {
		return e, true, nil
	}
	if e.failed != nil {
		return nil, false, fmt.Errorf("the tree is closed when its users have left: %w", e.failed)
	}
	e.users++
	return e, false, nil
}

func (s *Set) leave(e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.users--
	if e.users > 0 {
		return
	}
	e.idle = time.Now()
	select {
	case <-e.ready:
		if e.failed != nil {
			s.look()
		}
	default:
		// Those who come now begin anew, when this Open has returned.
		e.closing = true
		e.giveUp()
	}
}

// look has Run look at what there is to do.
func (s *Set) look() {
	select {
	case s.wake <- struct{}{}:
	default: // it will
	}
}

// open opens e, for those who wait for it.
func (s *Set) open(ctx context.Context, e *entry, open Opener) {
	defer e.giveUp()
	tree, err := open(ctx)
	s.mu.Lock()
	if err == nil && s.closed {
		err = ErrClosed
	}
	e.tree, e.err = tree, err
	close(e.ready)
	unwanted := err != nil || e.closing
	e.closing = unwanted
	if !unwanted {
		s.opened = append(s.opened, e)
		s.look()
	}
	s.mu.Unlock()
	if unwanted {
		s.close(e)
	}
}

// close closes a tree that nobody uses and whose work has ended; then its key can be opened again.
func (s *Set) close(e *entry) {
	if e.tree != nil {
		e.tree.Close()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.trees, e.key)
	close(e.gone)
}

// Each calls do with every open tree and how many use it.
func (s *Set) Each(do func(key string, tree *vfs.FS, users int)) {
	type open struct {
		*entry
		users int
	}
	var all []open
	s.mu.Lock()
	for _, e := range s.trees {
		select {
		case <-e.ready:
			if e.err == nil && !e.closing {
				all = append(all, open{e, e.users})
			}
		default:
		}
	}
	s.mu.Unlock()
	for _, e := range all {
		do(e.key, e.tree.FS, e.users)
	}
}
