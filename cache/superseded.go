package cache

import (
	"errors"
	"strings"
)

// MarkSuperseded marks the lost records of names, and of names below them, as superseded: something
// newer was applied to the remote without a record here. They cannot be retried any more.
func (s *Store) MarkSuperseded(names ...string) error { return s.markSuperseded(0, true, names) }

// markLost marks the lost records that e supersedes, before that information is lost: before e is
// removed (next is nil), or gets the names of next only.
func (s *Store) markLost(e *entry, next *Record) error {
	s.mu.Lock()
	rec := e.record()
	s.mu.Unlock()
	var names []string
	for _, name := range append(rec.Removes, rec.Name) {
		if next == nil || !next.touches(name) {
			names = append(names, name)
		}
	}
	return s.markSuperseded(rec.Seq, rec.Kind != Dir, names)
}

// markSuperseded marks the lost records of names as superseded, and with below those of names below
// them: those before seq, or all if seq is 0.
func (s *Store) markSuperseded(seq uint64, below bool, names []string) error {
	var errs []error
	for _, e := range s.lostAt(seq, below, names) {
		e.mu.Lock()
		if e.state == stateLost && !e.removed && !e.superseded {
			errs = append(errs, s.describeLost(e, e.reason, true))
		}
		e.mu.Unlock()
	}
	return errors.Join(errs...)
}

func (s *Store) lostAt(seq uint64, below bool, names []string) (found []*entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.lost {
		if e.damaged || e.superseded || seq > 0 && e.rec.Seq >= seq {
			continue
		}
		for _, name := range names {
			if strings.EqualFold(e.rec.Name, name) || below && isBelow(e.rec.Name, name) {
				found = append(found, e)
				break
			}
		}
	}
	return found
}

// touches reports whether name is the name of r or one of its Removes.
func (r *Record) touches(name string) bool {
	if strings.EqualFold(r.Name, name) {
		return true
	}
	for _, removed := range r.Removes {
		if strings.EqualFold(removed, name) {
			return true
		}
	}
	return false
}

// isBelow reports whether name is in the directory dir, ignoring case.
func isBelow(name, dir string) bool {
	name, dir = strings.ToLower(name), strings.ToLower(dir)
	return dir == "." || len(name) > len(dir) && name[len(dir)] == '/' && strings.HasPrefix(name, dir)
}
