package smb

import (
	"errors"
	"io/fs"
	"sync"
)

// lookAgain is how often something is looked for that is not found beside a change of its name.
const lookAgain = 10

// A watch notes changes of a name, or of a directory above it, while something is looked for.
type watch struct {
	at      target
	changed bool // guarded by the mu of watches
}

// watches are what is being looked for, and the changes that are being made.
type watches struct {
	mu       sync.Mutex
	looking  map[*watch]struct{} // guarded by mu
	changing map[target]int      // guarded by mu; changes under way, by the name
}

func newWatches() *watches {
	return &watches{looking: map[*watch]struct{}{}, changing: map[target]int{}}
}

// change notes a change of the names, until end is called.
func (w *watches) change(names []target) (end func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, name := range names {
		w.changing[name]++
		for l := range w.looking {
			l.note(name)
		}
	}
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, name := range names {
			if w.changing[name]--; w.changing[name] == 0 {
				delete(w.changing, name)
			}
		}
	}
}

func (l *watch) note(name target) {
	if _, below := l.at.rest(name); below {
		l.changed = true
	}
}

// steady has look look for a file, which is at what where returns. What is not found beside a
// change of its name is looked for again: Samba may say of a file that is being replaced that it
// does not exist.
func (w *watches) steady(where func() target, look func() error) error {
	for n := 1; ; n++ {
		l := w.begin(where())
		err := look()
		if changed := w.end(l); !changed || !errors.Is(err, fs.ErrNotExist) || n == lookAgain {
			return err
		}
	}
}

func (w *watches) begin(at target) *watch {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := &watch{at: at}
	for name := range w.changing {
		l.note(name)
	}
	w.looking[l] = struct{}{}
	return l
}

func (w *watches) end(l *watch) (changed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.looking, l)
	return l.changed
}
