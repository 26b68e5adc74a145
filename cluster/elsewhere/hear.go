package elsewhere

import (
	"context"
	"errors"
	"sync"
	"time"

	"ferry/cluster"
	"ferry/remote"
)

const (
	// maxHeard is how many files of other nodes are remembered, some 200 bytes each.
	maxHeard = 200_000
	// settles is when it is looked, after the engine was away, which values it does not have any
	// more: one that has lost all has got all again by then.
	settles = 10 * time.Second
	// expiry is how often it is looked for what is too old.
	expiry = 10 * time.Second
)

// A hearer has what other nodes tell.
type hearer struct {
	f *Files

	mu     sync.Mutex
	values map[string]*heard  // guarded by mu; by key
	trees  map[*Tree]struct{} // guarded by mu
	files  int                // guarded by mu; of values
	left   int                // guarded by mu; those of values that are not remembered
	warned bool               // guarded by mu; that there are such
	begun  bool               // guarded by mu; all values were yielded once
	again  time.Time          // guarded by mu; when that was so again; zero = they are known to be there
}

// heard is a value of another node.
type heard struct {
	value
	at   time.Time // when it came
	left int       // files that are not remembered
}

func (h *hearer) init(f *Files) {
	h.f, h.values, h.trees = f, map[string]*heard{}, map[*Tree]struct{}{}
}

func (h *hearer) count() (files, left int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.files, h.left
}

// nodes returns how many other nodes have told of something.
func (h *hearer) nodes() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	names := map[string]struct{}{}
	for _, v := range h.values {
		names[v.Node] = struct{}{}
	}
	return len(names)
}

// heardAll notes that the watch has begun, maybe anew.
func (h *hearer) heardAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.begun {
		h.again = time.Now()
	}
	h.begun = true
}

// note replaces a value; nil = there is none.
func (h *hearer) note(key string, v *heard) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.replace(key, v)
}

// LOCKS_REQUIRED(h.mu)
func (h *hearer) replace(key string, v *heard) {
	old := h.values[key]
	if old != nil {
		h.files -= len(old.Files)
		h.left -= old.left
		delete(h.values, key)
	}
	if v != nil {
		if n := len(v.Files); h.files+n > maxHeard {
			v.left, v.Files = n, nil
			h.warn()
		}
		h.files += len(v.Files)
		h.left += v.left
		h.values[key] = v
	}
	for t := range h.trees {
		t.replace(key, v)
	}
}

// LOCKS_REQUIRED(h.mu)
func (h *hearer) warn() {
	if !h.warned {
		h.warned = true
		h.f.o.Log.Warn("so many files wait at other nodes that some are not shown here", "most", maxHeard)
	}
}

// join adds a tree, and tells it what waits elsewhere.
func (h *hearer) join(t *Tree) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.trees[t] = struct{}{}
	for key, v := range h.values {
		t.replace(key, v)
	}
}

func (h *hearer) leave(t *Tree) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.trees, t)
}

// mind forgets what was not heard of for too long, and what the engine does not have, until ctx
// ends.
func (h *hearer) mind(ctx context.Context) {
	for remote.Sleep(ctx, expiry) == nil {
		now := time.Now()
		h.forget(now)
		if again, keys, due := h.doubtful(now); due && h.ask(ctx, keys) {
			h.settled(again)
		}
	}
}

func (h *hearer) forget(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for key, v := range h.values {
		if now.Sub(v.at) > Life {
			h.replace(key, nil)
		}
	}
}

// doubtful returns the keys of values that may have been removed while the engine was away, when
// others have had the time to write them again. A watch that begins anew is silent about them.
func (h *hearer) doubtful(now time.Time) (again time.Time, keys []string, due bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.again.IsZero() || now.Sub(h.again) < settles {
		return h.again, nil, false
	}
	for key, v := range h.values {
		if !v.at.After(h.again) {
			keys = append(keys, key)
		}
	}
	return h.again, keys, true
}

// ask forgets those of the values of keys that are not there; false = that cannot be known now.
func (h *hearer) ask(ctx context.Context, keys []string) bool {
	for _, key := range keys {
		began := time.Now()
		_, err := h.f.o.Engine.Get(ctx, Bucket, key)
		switch {
		case errors.Is(err, cluster.ErrNoValue):
			h.forgetOld(key, began)
		case err != nil:
			return false
		}
	}
	return true
}

// forgetOld forgets a value that was heard before a time.
func (h *hearer) forgetOld(key string, before time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if v := h.values[key]; v != nil && v.at.Before(before) {
		h.replace(key, nil)
	}
}

// settled notes that the values from before a time are known to be there.
func (h *hearer) settled(again time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.again.Equal(again) {
		h.again = time.Time{}
	}
}
