package cache

import (
	"path"
	"slices"
)

// recoverParts reads the index of part/. What is not sound is removed.
func (s *Store) recoverParts() error {
	files, err := s.inspect(partDir)
	if err != nil {
		return err
	}
	for _, f := range files {
		name := path.Join(partDir, f.id)
		if !s.sound(&f) || partPath(f.h.Name, f.h.Owner) != name {
			if err := s.disk.Remove(name); err != nil {
				return err
			}
			continue
		}
		s.enterPart(part{info: f.h.partInfo(), kept: anchored(f.h.Committed), path: name, slots: f.sl, bytes: dataStart + f.h.Size})
	}
	return nil
}

func (s *Store) enterPart(pt part) {
	s.indexPart(pt)
	s.room.enter(statePart, pt.bytes)
}

func (h *header) partInfo() PartInfo {
	return PartInfo{Name: h.Name, Owner: h.Owner, Size: h.Size, ModTime: h.Committed, Continues: h.FactsOf != ""}
}

// sameBoot reports whether the file was described in the present run of the machine: then all that
// was written is there.
func (s *Store) sameBoot(f *found) bool { return f.h.Boot != "" && f.h.Boot == s.disk.Boot() }

// sound reports whether a file in part/ is what was written. It came there after it had been
// synced.
func (s *Store) sound(f *found) bool {
	return f.err == nil && f.h.State == statePart && f.data() >= f.h.Size
}

// soundDraft returns how many bytes of a file in tmp/ are what was written: its header may have
// reached the disk before its content.
func (s *Store) soundDraft(f *found) int64 {
	switch {
	case f.err != nil:
		return 0
	case s.sameBoot(f):
		return f.data()
	case f.data() < f.h.Synced:
		return 0
	default:
		return f.h.Synced
	}
}

// recoverDrafts makes parts of what is in tmp/ as far as it is sound, and removes the rest. They
// stay where they are, as they are: part/ is for what is synced, and there may be much. Of two of
// one name and owner the one that was written to last remains.
func (s *Store) recoverDrafts() error {
	files, err := s.inspect(tmpDir)
	if err != nil {
		return err
	}
	slices.SortStableFunc(files, func(a, b found) int { return a.changed.Compare(b.changed) })
	for _, f := range files {
		if err := s.recoverDraft(path.Join(tmpDir, f.id), &f); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) recoverDraft(name string, f *found) error {
	size := s.soundDraft(f)
	if size == 0 || f.h.Owner == "" {
		return s.disk.Remove(name)
	}
	info := f.h.partInfo()
	// It stays as it is and the next start may find it again, so its age is that of its last byte.
	// The time in the header of a part that was being continued is the one when it was kept before.
	info.Size, info.ModTime = size, f.changed
	if err := s.dropPart(partID{info.Name, info.Owner}); err != nil { // an upload after that one
		return err
	}
	s.enterPart(part{info: info, kept: anchored(info.ModTime), path: name, slots: f.sl, bytes: dataStart + size})
	return nil
}
