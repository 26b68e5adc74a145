package drive

import (
	"slices"
	"sync"
)

// seen remembers under which names files were shown, as long as somebody watches: the feed of
// changes knows ids. The zero value is ready to use.
type seen struct {
	mu       sync.Mutex
	watching int                 // guarded by mu; how many watch
	places   map[string]place    // guarded by mu; by id
	leads    map[string][]string // guarded by mu; ids of shortcuts by that of what they lead to
	late     []place             // guarded by mu; what ceased to be true without the feed's telling so
	told     map[string]bool     // guarded by mu; ids of which the feed told lately
	full     bool                // guarded by mu; something was forgotten
}

// A place is where a file is.
type place struct {
	folder string // id; "" = it is outside
	name   string
	dir    bool
}

// mostPlaces is how many files are remembered.
const mostPlaces = 50_000

// note remembers that f is shown as name in a folder.
func (s *seen) note(f *file, folder, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watching == 0 {
		return
	}
	p := place{folder, name, f.isFolder()}
	old, known := s.places[f.ID]
	if known && old != p && old.folder != "" {
		s.late = append(s.late, old)
	}
	if s.told[f.ID] && old != p { // a listing that is older than the feed
		s.late = append(s.late, p)
	}
	s.put(f, p)
}

// put remembers a place.
// LOCKS_REQUIRED(s.mu)
func (s *seen) put(f *file, p place) {
	if len(s.places) >= mostPlaces {
		s.full = true
		clear(s.places)
		clear(s.leads)
	}
	s.places[f.ID] = p
	if f.Shortcut != nil && !slices.Contains(s.leads[f.Shortcut.TargetID], f.ID) {
		s.leads[f.Shortcut.TargetID] = append(s.leads[f.Shortcut.TargetID], f.ID)
	}
}

// begin remembers from now on.
func (s *seen) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watching++; s.watching == 1 {
		s.places, s.leads, s.told = map[string]place{}, map[string][]string{}, map[string]bool{}
		s.late, s.full = nil, false
	}
}

// end forgets everything when nobody watches any more.
func (s *seen) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watching--; s.watching == 0 {
		s.places, s.leads, s.told, s.late = nil, nil, nil, nil
	}
}

// round returns what ceased to be true since the last one, and whether something was forgotten.
func (s *seen) round() (late []place, full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	late, full = s.late, s.full
	s.late, s.full = nil, false
	clear(s.told)
	return late, full
}

// forgot makes the next round say that something was forgotten.
func (s *seen) forgot() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.full = true
}

// change notes what the feed tells of a file: where it is, nil for nowhere. It returns where it
// was.
func (s *seen) change(id string, f *file, now *place) (old place, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, known = s.places[id]
	delete(s.places, id)
	s.told[id] = true
	if now != nil {
		s.put(f, *now)
	}
	return old, known && old.folder != ""
}

// at returns where a file is, and which shortcuts lead to it.
func (s *seen) at(id string) (p place, known bool, shortcuts []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, known = s.places[id]
	return p, known, slices.Clone(s.leads[id])
}

// located notes where a folder is that was asked for.
func (s *seen) located(f *file, p place) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(f, p)
}
