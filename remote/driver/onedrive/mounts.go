package onedrive

import (
	"strings"
	"sync"
	"time"
)

// Folders of others that a user added to the drive are links: paths do not lead through them. So
// the driver remembers which directories are such links, and looks for one where a path leads
// nowhere.

// plainTime is how long a directory is known to be no link.
const plainTime = 5 * time.Minute

// maxPlain bounds memory.
const maxPlain = 10_000

type mounts struct {
	mu     sync.Mutex
	linked map[string]link      // guarded by mu; by folded name
	plain  map[string]time.Time // guarded by mu; folded name -> when it was seen to be no link
}

// A link is a directory whose content is elsewhere.
type link struct {
	name   string
	target ref
}

func newMounts() *mounts {
	return &mounts{linked: map[string]link{}, plain: map[string]time.Time{}}
}

// saw takes note of what a directory is.
func (m *mounts) saw(name string, dir *found) {
	folded := strings.ToLower(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	if dir.item.Remote != nil {
		m.linked[folded] = link{name, dir.target}
		delete(m.plain, folded)
		return
	}
	delete(m.linked, folded)
	if len(m.plain) >= maxPlain {
		clear(m.plain)
	}
	m.plain[folded] = time.Now()
}

// forget drops what is known of name and all below it.
func (m *mounts) forget(name string) {
	folded := strings.ToLower(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	for at := range m.linked {
		if at == folded || strings.HasPrefix(at, folded+"/") {
			delete(m.linked, at)
		}
	}
	for at := range m.plain {
		if at == folded || strings.HasPrefix(at, folded+"/") {
			delete(m.plain, at)
		}
	}
}

// isPlain reports whether a directory was seen to be no link a short while ago.
func (m *mounts) isPlain(name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	seen, ok := m.plain[strings.ToLower(name)]
	return ok && time.Since(seen) < plainTime
}

// find returns where the innermost link above name leads, and what of the path is below it.
func (m *mounts) find(name string) (target ref, rest string, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.linked) == 0 {
		return ref{}, "", false
	}
	for i := len(name) - 1; i > 0; i-- {
		if name[i] != '/' {
			continue
		}
		if l, ok := m.linked[strings.ToLower(name[:i])]; ok {
			return l.target, name[i+1:], true
		}
	}
	return ref{}, "", false
}
