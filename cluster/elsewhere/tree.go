package elsewhere

import (
	"sync"
	"time"
)

// A Source knows what waits in a tree.
type Source interface {
	// Unsent calls f with each file that was accepted at least age ago and that the remote does not
	// have. It returns when the next file will be that old, zero if there is none yet.
	Unsent(age time.Duration, f func(name string, size int64, modTime time.Time)) (next time.Time)
	// Edits returns a number that is another one after anything has changed of what Unsent tells,
	// except by time.
	Edits() uint64
}

// A Tree is what waits for one remote. Its methods may be called concurrently.
type Tree struct {
	files    *Files
	place    string
	source   Source            // set by Serve; nil = nothing waits here
	appeared func(name string) // set by Serve

	mu    sync.RWMutex
	index index // guarded by mu
}

// Tree returns what waits for the remote of a place, as its Info.Identity says.
func (f *Files) Tree(place string) *Tree { return &Tree{files: f, place: place, index: newIndex()} }

// Serve begins: what waits in source is told to other nodes, if there is one, and what waits there
// is shown. appeared is called with names that may be on the remote now; it must not call back. The
// caller calls Leave.
func (t *Tree) Serve(source Source, appeared func(name string)) {
	t.source, t.appeared = source, appeared
	t.files.hearing.join(t)
	if source != nil {
		t.files.telling.join(t)
	}
}

// Leave ends it. What waits on stays told of until it expires, or the tree is opened again.
func (t *Tree) Leave() {
	t.files.telling.leave(t)
	t.files.hearing.leave(t)
}
