package cache

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// PartInfo describes an unfinished upload.
type PartInfo struct {
	Name, Owner string
	Size        int64
	ModTime     time.Time // when it was kept
	Continues   bool      // it appends to the file Name on the remote
}

// parts is the index of the unfinished uploads by directory, so that listing one directory does not
// scan the others.
type parts map[string]map[partID]part

type partID struct{ name, owner string }

// A part is a file in part/, or one in tmp/ that an earlier process left.
type part struct {
	info  PartInfo
	kept  time.Time // by the monotonic clock of this process
	path  string
	slots slots
	bytes int64 // as counted by quota
}

func newParts() parts { return parts{} }

func (p parts) get(id partID) (part, bool) {
	found, ok := p[path.Dir(id.name)][id]
	return found, ok
}

func (p parts) put(pt part) {
	dir := path.Dir(pt.info.Name)
	if p[dir] == nil {
		p[dir] = map[partID]part{}
	}
	p[dir][partID{pt.info.Name, pt.info.Owner}] = pt
}

func (p parts) remove(id partID) {
	dir := path.Dir(id.name)
	delete(p[dir], id)
	if len(p[dir]) == 0 {
		delete(p, dir)
	}
}

func (h *header) partInfo() PartInfo {
	return PartInfo{Name: h.Name, Owner: h.Owner, Size: h.Size, ModTime: h.Committed, Continues: h.FactsOf != ""}
}

// Part returns owner's unfinished upload of name, or fs.ErrNotExist.
func (s *Store) Part(name, owner string) (PartInfo, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	pt, ok := s.parts.get(partID{name, owner})
	if !ok {
		return PartInfo{}, &fs.PathError{Op: "part", Path: name, Err: fs.ErrNotExist}
	}
	return pt.info, nil
}

// PartsIn returns the unfinished uploads in the directory dir, sorted by name and owner.
func (s *Store) PartsIn(dir string) []PartInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	infos := make([]PartInfo, 0, len(s.parts[dir]))
	for _, pt := range s.parts[dir] {
		infos = append(infos, pt.info)
	}
	slices.SortFunc(infos, func(a, b PartInfo) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return strings.Compare(a.Owner, b.Owner)
	})
	return infos
}

// DropPart removes owner's unfinished upload of name, or returns fs.ErrNotExist.
func (s *Store) DropPart(name, owner string) error {
	if _, err := s.Part(name, owner); err != nil {
		return err
	}
	return s.dropPart(partID{name, owner})
}

// dropPart removes a part, if there is one.
func (s *Store) dropPart(id partID) error {
	if _, ok := s.findPart(id); !ok { // the usual case, without the lock
		return nil
	}
	s.changeParts.Lock()
	defer s.changeParts.Unlock()
	pt, ok := s.findPart(id)
	if !ok {
		return nil
	}
	if err := s.disk.Remove(pt.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	s.unindexPart(id)
	s.quota.removeFile(statePart, pt.bytes)
	return nil
}

func (s *Store) findPart(id partID) (part, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.parts.get(id)
}

func (s *Store) indexPart(pt part) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parts.put(pt)
}

func (s *Store) unindexPart(id partID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parts.remove(id)
}

// expireParts drops the parts older than PartMaxAge.
func (s *Store) expireParts(now time.Time) error {
	if !s.mayExpire(now, s.o.PartMaxAge) {
		return nil
	}
	var err error
	for _, id := range s.expiredParts(now) {
		err = errors.Join(err, s.dropPart(id))
	}
	return err
}

func (s *Store) expiredParts(now time.Time) []partID {
	s.mu.Lock()
	defer s.mu.Unlock()
	var old []partID
	for _, in := range s.parts {
		for id, pt := range in {
			if pt.expired(now, s.o.PartMaxAge) {
				old = append(old, id)
			}
		}
	}
	return old
}
