package access

import (
	"maps"
	"strings"
	"sync"
)

// share is what a session has to do with an entry.
type share uint8

const (
	foreign share = iota
	leading       // a directory with something that the session stored somewhere below it
	stored        // the session stored or made it
)

// maxOwn is how many entries are remembered for a session. The oldest are forgotten, and then are
// as those of others.
const maxOwn = 100_000

// own is what a session stored. Its methods may be called concurrently.
type own struct {
	fold bool

	mu    sync.Mutex
	names map[string]share
	order []string // of names, the oldest first; may name some that are gone
}

func newOwn(fold bool) *own { return &own{fold: fold, names: map[string]share{}} }

// of returns the share of the session in name. A nil own has none in anything.
func (o *own) of(name string) share {
	if o == nil {
		return foreign
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.names[o.key(name)]
}

func (o *own) key(name string) string {
	if o.fold {
		return strings.ToLower(name)
	}
	return name
}

// add notes that the session stored name.
func (o *own) add(name string) {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.put(o.key(name), stored)
	for dir := parent(o.key(name)); dir != root; dir = parent(dir) {
		o.put(dir, max(leading, o.names[dir]))
	}
}

// put notes the share in a name, and forgets the oldest if there are too many. LOCKS_REQUIRED(o.mu)
func (o *own) put(name string, s share) {
	if _, known := o.names[name]; !known {
		o.order = append(o.order, name)
	}
	o.names[name] = s
	for len(o.order) > maxOwn {
		delete(o.names, o.order[0])
		o.order = o.order[1:]
	}
}

// remove notes that name is gone.
func (o *own) remove(name string) {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.names, o.key(name))
}

// move notes that from, with all that is below it, is now called to.
func (o *own) move(from, to string) {
	if o == nil {
		return
	}
	var moved []string
	o.mu.Lock()
	from = o.key(from)
	for name, s := range o.names {
		rest, below := strings.CutPrefix(name, from)
		if !below || rest != "" && rest[0] != '/' {
			continue
		}
		delete(o.names, name)
		if s == stored {
			moved = append(moved, to+rest)
		}
	}
	o.mu.Unlock()
	for _, name := range moved {
		o.add(name)
	}
}

// sentNames are the names under which a session sent files that are called otherwise. It goes on
// with the names that it knows, to set times, ask for sizes and rename, until it lists a directory
// and sees the others. A nil one has none. Its methods may be called concurrently.
type sentNames struct {
	mu    sync.Mutex
	names map[string]string // as sent -> as stored
}

// maxSent bounds memory: when there are this many, all are forgotten.
const maxSent = 10_000

func (s *sentNames) of(name string) string {
	if s == nil {
		return name
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if to, is := s.names[name]; is {
		return to
	}
	return name
}

func (s *sentNames) note(name, stored string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if name == stored {
		delete(s.names, name)
		return
	}
	if s.names == nil || len(s.names) >= maxSent {
		s.names = map[string]string{}
	}
	s.names[name] = stored
}

// forget forgets a stored name that is gone, all with "".
func (s *sentNames) forget(stored string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.names, func(_, to string) bool { return stored == "" || to == stored })
}
