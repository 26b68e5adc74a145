package local

import (
	"errors"
	"io/fs"
	"sync"

	"ferry/remote"
	"ferry/remote/partname"
)

// uploads knows the hidden files that uploads under way in this process write to, by their path in
// the remote.
type uploads struct {
	mu   sync.Mutex
	busy map[string]*stage // INVARIANT: for each k/v, v.path == k
}

// claim makes path the file that s writes to, unless another upload has it.
func (u *uploads) claim(s *stage, path string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.busy[path] != nil {
		return false
	}
	s.path = path
	u.busy[path] = s
	return true
}

func (u *uploads) release(s *stage) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.busy, s.path)
}

func (u *uploads) has(path string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.busy[path] != nil
}

// moved follows the uploads under way into a directory that got another name.
func (u *uploads) moved(from, to string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for path, s := range u.busy {
		if remote.Below(path, from) {
			delete(u.busy, path)
			s.path = to + path[len(from):]
			u.busy[s.path] = s
		}
	}
}

// slots is how many uploads of one name by one owner may be under way at a time.
const slots = 1000

// createPart makes the hidden file that s writes to, in the first slot that is free.
func (r *Remote) createPart(s *stage, perm fs.FileMode) error {
	return r.takeSlot(s, func(slot int, part string) error {
		f, err := s.dir.create(part, perm)
		if errors.Is(err, fs.ErrExist) && r.reclaim(s, part, slot) == nil {
			f, err = s.dir.create(part, perm)
		}
		s.file = f
		return err
	})
}

// takeSlot claims slots for s until use does not answer ErrExist for one.
func (r *Remote) takeSlot(s *stage, use func(slot int, part string) error) error {
	for slot := 1; slot <= slots; slot++ {
		part := partname.Name{Owner: s.owner, Slot: slot, Base: s.base}.String()
		if !r.uploads.claim(s, remote.Join(s.in, part)) {
			continue
		}
		err := use(slot, part)
		if err == nil {
			s.part = part
			return nil
		}
		r.uploads.release(s)
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return remote.ErrExist
}

// reclaim frees a slot that s has claimed and in which a process that was killed left a file: what
// is too old goes, and what is in the first slot is kept.
func (r *Remote) reclaim(s *stage, part string, slot int) error {
	m, err := s.dir.lstat(part)
	switch {
	case err != nil:
		return err
	case m.kind != regular:
		return remote.ErrExist
	case r.expired(&m):
		return s.dir.remove(part)
	case slot == 1 && s.owner != partname.PutOwner:
		return r.keep(s.dir, part, partname.Name{Owner: s.owner, Base: s.base})
	}
	return remote.ErrExist
}

// expired reports whether a hidden file is too old to be continued.
func (r *Remote) expired(m *meta) bool {
	return r.o.PartMaxAge > 0 && r.ages.Exceed(m.modTime, r.o.PartMaxAge)
}
