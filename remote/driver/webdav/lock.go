package webdav

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"ferry/remote"
)

// names keeps the calls of one Remote that change the same name apart. Its locks are for what the
// protocol cannot do in one request, not for what other programs do.
type names struct {
	mu       sync.Mutex
	held     map[string]*hold // guarded by mu
	replaced atomic.Uint64    // how many files were replaced by MOVE
}

// A hold is a name that somebody holds or waits for.
type hold struct {
	users   int // how many hold it or wait
	readers int
	writer  bool
	writers int           // how many wait to hold it alone; they go before those who come to look
	changed chan struct{} // closed when somebody lets go
}

func newNames() *names { return &names{held: map[string]*hold{}} }

// change locks name for a change, and its directory against removal. A name may be ".".
func (n *names) change(ctx context.Context, changed ...string) (release func(), err error) {
	wanted := map[string]bool{} // whether it is to be held alone
	for _, name := range changed {
		dir, _ := remote.Split(name)
		wanted[dir] = wanted[dir] || false
		wanted[name] = true
	}
	return n.acquire(ctx, wanted)
}

// look waits until nobody changes name, and keeps it so.
func (n *names) look(ctx context.Context, name string) (release func(), err error) {
	return n.acquire(ctx, map[string]bool{name: false})
}

// acquire takes the locks in the order of the names, so that no two wait for each other.
func (n *names) acquire(ctx context.Context, wanted map[string]bool) (release func(), err error) {
	var releases []func()
	release = func() {
		for _, r := range releases {
			r()
		}
	}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		if err := n.lock(ctx, name, wanted[name]); err != nil {
			release()
			return nil, err
		}
		releases = append(releases, func() { n.unlock(name, wanted[name]) })
	}
	return release, nil
}

func (n *names) lock(ctx context.Context, name string, alone bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.held[name]
	if h == nil {
		h = &hold{changed: make(chan struct{})}
		n.held[name] = h
	}
	h.users++
	if alone {
		h.writers++
		defer func() { h.writers-- }()
	}
	for h.writer || alone && h.readers > 0 || !alone && h.writers > 0 {
		changed := h.changed
		n.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		n.mu.Lock()
		if ctx.Err() != nil {
			n.leave(name, h)
			wake(h) // those who let this one go first
			return context.Cause(ctx)
		}
	}
	if alone {
		h.writer = true
	} else {
		h.readers++
	}
	return nil
}

func (n *names) unlock(name string, alone bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.held[name]
	if alone {
		h.writer = false
	} else {
		h.readers--
	}
	wake(h)
	n.leave(name, h)
}

// wake lets those who wait look again.
// LOCKS_REQUIRED(n.mu)
func wake(h *hold) {
	close(h.changed)
	h.changed = make(chan struct{})
}

// LOCKS_REQUIRED(n.mu)
func (n *names) leave(name string, h *hold) {
	if h.users--; h.users == 0 {
		delete(n.held, name)
	}
}

// busy reports whether somebody changes name.
func (n *names) busy(name string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.held[name]
	return h != nil && h.writer
}
