package objects

import (
	"strings"
	"sync"
)

// A watch is on the names of the uploads under way: whether this process has made a directory of
// such a name since the upload began. So that needs to be asked only then.
type watch struct {
	mu      sync.Mutex
	uploads map[Key]*watched // guarded by mu
}

type watched struct {
	uploads int  // of that name
	dir     bool // something was stored below it, or its marker
}

// begin watches k until end.
func (w *watch) begin(k Key) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.uploads == nil {
		w.uploads = map[Key]*watched{}
	}
	if w.uploads[k] == nil {
		w.uploads[k] = &watched{}
	}
	w.uploads[k].uploads++
}

func (w *watch) end(k Key) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.uploads[k].uploads--; w.uploads[k].uploads == 0 {
		delete(w.uploads, k)
	}
}

// stored notes that k is about to be stored, which makes directories of all that is above.
func (w *watch) stored(k Key) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.uploads) == 0 {
		return
	}
	for i := strings.LastIndexByte(k.Name, '/'); i >= 0; i = strings.LastIndexByte(k.Name, '/') {
		k.Name = k.Name[:i]
		if u := w.uploads[k]; u != nil {
			u.dir = true
		}
	}
}

// hasDir reports whether a directory called k was made.
func (w *watch) hasDir(k Key) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.uploads[k].dir
}
