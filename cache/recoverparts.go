package cache

import (
	"path"
	"slices"
)

// recoverParts reads the index of part/. It removes files that are not intact.
func (s *Store) recoverParts() error {
	files, err := s.inspect(partDir)
	if err != nil {
		return err
	}
	for _, f := range files {
		name := path.Join(partDir, f.id)
		if !s.intact(&f) || partPath(f.h.Name, f.h.Owner) != name {
			if err := s.disk.Remove(name); err != nil {
				return err
			}
			continue
		}
		s.addPart(part{info: f.h.partInfo(), kept: anchored(f.h.Committed), path: name, slots: f.sl, bytes: dataStart + f.h.Size})
	}
	return nil
}

func (s *Store) addPart(pt part) {
	s.indexPart(pt)
	s.quota.addFile(statePart, pt.bytes)
}

// intact reports whether a file in part/ is complete. It was synced before it was moved there.
func (s *Store) intact(f *found) bool {
	return f.err == nil && f.h.State == statePart && f.data() >= f.h.Size
}

// intactBytes returns how many bytes of a file in tmp/ are valid: its header may have reached the
// disk before its content.
func (s *Store) intactBytes(f *found) int64 {
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

// recoverDrafts makes parts of the files in tmp/ as far as they are intact, and removes the rest.
// They stay in tmp/ unchanged: part/ is for synced files, and syncing may take long. Of two with
// the same name and owner it keeps the one written last.
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
	size := s.intactBytes(f)
	if size == 0 || f.h.Owner == "" {
		return s.disk.Remove(name)
	}
	info := f.h.partInfo()
	// The file stays unchanged and the next start may find it again, so its age counts from its
	// last write. The header of a continued part has the time when it was kept before.
	info.Size, info.ModTime = size, f.changed
	if err := s.dropPart(partID{info.Name, info.Owner}); err != nil { // the part is older
		return err
	}
	s.addPart(part{info: info, kept: anchored(info.ModTime), path: name, slots: f.sl, bytes: dataStart + size})
	return nil
}
