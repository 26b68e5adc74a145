// Package namelock keeps the calls of one remote that change the same name apart, for drivers whose
// protocol cannot do in one request what a call promises.
package namelock

import (
	"context"
	"maps"
	"slices"
	"sync"

	"ferry/remote"
)

// Names are the names of one remote that are held. Its locks are not about what other programs do.
// Its methods may be called concurrently.
type Names struct {
	mu   sync.Mutex
	held map[string]*hold // guarded by mu
}

// A hold is a name that somebody holds or waits for.
type hold struct {
	users   int // how many hold it or wait
	readers int
	writer  bool
	queue   []*int        // who waits to hold it alone, in their order; they go before those who come to look
	changed chan struct{} // closed when somebody lets go
}

// New returns Names of which none is held.
func New() *Names { return &Names{held: map[string]*hold{}} }

// Change locks name for a change, and its directory against removal. A name may be ".".
func (n *Names) Change(ctx context.Context, changed ...string) (release func(), err error) {
	wanted := map[string]bool{} // whether it is to be held alone
	for _, name := range changed {
		dir, _ := remote.Split(name)
		wanted[dir] = wanted[dir] || false
		wanted[name] = true
	}
	return n.acquire(ctx, wanted)
}

// Look waits until nobody changes name, and keeps it so.
func (n *Names) Look(ctx context.Context, name string) (release func(), err error) {
	return n.acquire(ctx, map[string]bool{name: false})
}

// acquire takes the locks in the order of the names, so that no two wait for each other.
func (n *Names) acquire(ctx context.Context, wanted map[string]bool) (release func(), err error) {
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

func (n *Names) lock(ctx context.Context, name string, alone bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.held[name]
	if h == nil {
		h = &hold{changed: make(chan struct{})}
		n.held[name] = h
	}
	h.users++
	me := new(int)
	if alone {
		h.queue = append(h.queue, me)
		defer func() { h.queue = slices.DeleteFunc(h.queue, func(other *int) bool { return other == me }) }()
	}
	for h.writer || alone && (h.readers > 0 || h.queue[0] != me) || !alone && len(h.queue) > 0 {
		changed := h.changed
		n.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		n.mu.Lock()
		if ctx.Err() != nil {
			n.leave(name, h)
			defer wake(h) // those who let this one go first
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

func (n *Names) unlock(name string, alone bool) {
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
func (n *Names) leave(name string, h *hold) {
	if h.users--; h.users == 0 {
		delete(n.held, name)
	}
}

// Busy reports whether somebody changes name.
func (n *Names) Busy(name string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.held[name]
	return h != nil && h.writer
}
