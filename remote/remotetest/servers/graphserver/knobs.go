package graphserver

import (
	"slices"
	"strings"
	"time"
)

// NewDrive makes an empty drive of a kind, and returns its id. The first one is also the drive of
// whom the token belongs to.
func (s *Server) NewDrive(kind string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := &drive{id: s.newID("b!drive"), kind: kind, items: map[string]*node{}, quota: 1 << 40}
	d.root = &node{id: s.newID("ROOT"), dir: true, children: map[string]*node{}, modified: time.Now().UTC()}
	d.items[d.root.id] = d.root
	s.drives[d.id] = d
	if s.drives["me"] == nil {
		s.drives["me"] = d
	}
	return d.id
}

// MovesReplace sets whether a move with the conflict behavior "replace" replaces a file; else it is
// refused as one without it.
func (s *Server) MovesReplace(replace bool) { s.set(func() { s.moves = replace }) }

// SetToken sets which token is accepted from now on.
func (s *Server) SetToken(token string) { s.set(func() { s.token = token }) }

// Throttle refuses the next n requests with 429, and tells who sent them to wait.
func (s *Server) Throttle(n int, wait time.Duration) {
	s.set(func() { s.throttled, s.wait, s.early = n, wait, 0 })
}

// Early returns how many requests came in spite of being told to wait.
func (s *Server) Early() (n int) {
	s.set(func() { n = s.early })
	return n
}

// WithoutTags has contents be sent without saying which version they are.
func (s *Server) WithoutTags() { s.set(func() { s.noTags = true }) }

// SetQuota sets how many bytes a drive holds.
func (s *Server) SetQuota(id string, total int64) { s.set(func() { s.drives[id].quota = total }) }

// ExpireSessions ends all upload sessions.
func (s *Server) ExpireSessions() { s.set(func() { clear(s.sessions) }) }

// Sessions returns how many uploads are under way.
func (s *Server) Sessions() (n int) {
	s.set(func() { n = len(s.sessions) })
	return n
}

// ForgetChanges has the feed of a drive not know any more what changed until now.
func (s *Server) ForgetChanges(id string) {
	s.set(func() { d := s.drives[id]; d.forgotten = d.seq + 1; d.seq++ })
}

// Link makes an entry of the root of a drive that stands for a folder of another one.
func (s *Server) Link(id, name, otherDrive, otherPath string) {
	s.set(func() {
		other := s.drives[otherDrive]
		n := s.newNode(s.drives[id], s.drives[id].root, name)
		n.link, n.linkDrive = other.below(other.root, otherPath), other
	})
}

// Notebook makes a package of OneNote in the root of a drive.
func (s *Server) Notebook(id, name string) {
	s.set(func() {
		n := s.newNode(s.drives[id], s.drives[id].root, name)
		n.notebook, n.dir, n.children = true, true, map[string]*node{}
	})
}

// Lock has the file at path be open in another program, or not any more.
func (s *Server) Lock(id, path string, locked bool) {
	s.set(func() { d := s.drives[id]; d.below(d.root, path).locked = locked })
}

// Tamper has the file at path have another content than was stored, without its tags showing it.
func (s *Server) Tamper(id, path, content string) {
	s.set(func() { d := s.drives[id]; d.below(d.root, path).tampered = []byte(content) })
}

// Rename gives what is in the root of a drive another name.
func (s *Server) Rename(id, name, to string) {
	s.set(func() {
		d := s.drives[id]
		if err := s.move(d, d.root.children[fold(name)], d.root, to, ""); err != nil {
			panic(err)
		}
	})
}

// Age has the file at path be older than it is.
func (s *Server) Age(id, path string, by time.Duration) {
	s.set(func() {
		n := s.drives[id].below(s.drives[id].root, path)
		n.created, n.modified = n.created.Add(-by), n.modified.Add(-by)
	})
}

// Versions returns how many versions there are of the file at path.
func (s *Server) Versions(id, path string) (n int) {
	s.set(func() { d := s.drives[id]; n = len(d.below(d.root, path).versions) + 1 })
	return n
}

// Names lists what is in the folder at path, hidden files included, with spaces between them.
func (s *Server) Names(id, path string) (names string) {
	s.set(func() {
		d := s.drives[id]
		var all []string
		for _, n := range d.below(d.root, path).children {
			all = append(all, n.name)
		}
		slices.Sort(all)
		names = strings.Join(all, " ")
	})
	return names
}

// Requests returns the requests since it was last called: "METHOD /path".
func (s *Server) Requests() (all []string) {
	s.set(func() { all, s.requests = s.requests, nil })
	return all
}

func (s *Server) set(act func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	act()
}
