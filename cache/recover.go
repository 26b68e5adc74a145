package cache

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
)

// recover reads what an earlier process left, and repairs interrupted operations.
func (s *Store) recover() error {
	for _, dir := range []string{tmpDir, partDir, dirtyDir, lostDir, cleanDir, doubtDir, uploadsDir} {
		if err := s.disk.Mkdir(dir); err != nil {
			return err
		}
	}
	if err := s.disk.SyncDir("."); err != nil {
		return err
	}
	// From here on, renames of an interrupted call count as done and superseded records are
	// dropped: so sync the directories first.
	for _, dir := range []string{dirtyDir, lostDir, partDir} {
		if err := s.disk.SyncDir(dir); err != nil {
			return err
		}
	}
	for _, step := range []func() error{s.recoverLost, s.recoverDirty, s.recoverParts, s.recoverDrafts, s.recoverDoubts, s.recoverUploads} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) recoverLost() error {
	files, err := s.inspect(lostDir)
	if err != nil {
		return err
	}
	for _, f := range files {
		s.addLost(f.id, &f)
	}
	return nil
}

// addLost adds a file in lost/ to the index.
func (s *Store) addLost(id string, f *found) {
	e := &entry{
		rec: f.h.record(id), slots: f.sl, state: stateLost, bytes: dataStart + f.data(),
		reason: f.h.Reason, superseded: f.h.Superseded,
	}
	if f.err != nil {
		e.damaged, e.reason, e.rec.Size = true, f.err.Error(), f.data()
	}
	s.seq = max(s.seq, f.h.Seq)
	s.lost[id] = e
	s.quota.addFile(stateLost, e.bytes)
}

// recoverDirty reads the pending records. Of records with the same name it keeps the latest.
func (s *Store) recoverDirty() error {
	files, err := s.inspect(dirtyDir)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := s.addDirty(f.id, &f); err != nil {
			return err
		}
	}
	return s.dropSuperseded()
}

// addDirty adds a file in dirty/ to the index, or moves it to where it belongs.
func (s *Store) addDirty(id string, f *found) error {
	reason := s.untrusted(id, f)
	switch {
	case reason != "":
		return s.rescue(id, f, reason)
	case f.h.State == stateClean: // finished: it was on its way to clean/
		return s.disk.Remove(path.Join(dirtyDir, id))
	}
	// A stateLost was on its way to lost/, or back: the change is tried again.
	e := &entry{rec: f.h.record(id), slots: f.sl, state: stateWaiting, bytes: dataStart + f.data()}
	if f.h.Spooled {
		e.durability = Spooled
	}
	s.seq = max(s.seq, f.h.Seq)
	s.dirty[id] = e
	s.quota.addFile(stateWaiting, e.bytes)
	s.doubtRecord(f)
	return nil
}

// untrusted returns the reason why a file in dirty/ must not be sent, or "".
func (s *Store) untrusted(id string, f *found) string {
	switch {
	case f.err != nil:
		return f.err.Error()
	case !validID(id):
		return "not a file of the cache"
	case f.h.State == stateClean:
		return ""
	case f.h.State != stateWaiting && f.h.State != stateLost:
		return "the header is that of an unfinished file"
	case f.h.Spooled && (f.h.Boot == "" || f.h.Boot != s.disk.Boot()):
		return "it was acknowledged before it was on the disk (--vfs-write-ack spooled), and the machine went down"
	case f.h.Kind == File && f.h.Size > 0 && f.data() != f.h.Size:
		return fmt.Sprintf("it has %d bytes instead of %d", f.data(), f.h.Size)
	}
	return ""
}

// rescue moves a file that must not be sent from dirty/ to lost/. A file without a header is moved
// unchanged.
func (s *Store) rescue(id string, f *found, reason string) error {
	from := path.Join(dirtyDir, id)
	if f.err == nil {
		f.h.State, f.h.Reason = stateLost, reason
		if err := s.describe(from, &f.sl, &f.h); err != nil {
			return err
		}
	}
	if err := s.disk.Rename(from, path.Join(lostDir, id)); err != nil {
		return err
	}
	s.addLost(id, f)
	return s.disk.SyncDir(lostDir)
}

// describe replaces the header of a file.
func (s *Store) describe(name string, sl *slots, h *header) error {
	f, err := s.disk.OpenFile(name, os.O_RDWR)
	if err != nil {
		return err
	}
	err = sl.sync(f)
	if err == nil {
		err = sl.put(f, h, Durable)
	}
	return errors.Join(err, f.Close())
}

// dropSuperseded drops records whose name a later record has. The later record inherits their
// Removes.
func (s *Store) dropSuperseded() error {
	records := inOrder(s.dirty)
	slices.SortFunc(records, func(a, b Record) int { return cmp.Compare(b.Seq, a.Seq) })
	claimed := map[string]*entry{}
	for _, r := range records {
		if r.Claim != "" {
			continue
		}
		e := s.dirty[r.ID]
		later, superseded := claimed[r.Name]
		if superseded {
			if err := s.supersede(e, later, claimed); err != nil {
				return err
			}
			continue
		}
		claimed[r.Name] = e
		for _, name := range r.Removes {
			if claimed[name] == nil {
				claimed[name] = e
			}
		}
		if r.Kind == Moved {
			delete(claimed, r.Source) // an earlier record of Source is about the file that is renamed
		}
	}
	return nil
}

// supersede removes e; later inherits those of its Removes that no even later record has. It syncs
// later first: later may have been renamed by a process that was killed, and would go back to its
// old name on a power loss.
func (s *Store) supersede(e, later *entry, claimed map[string]*entry) error {
	var inherited []string
	for _, name := range e.rec.Removes {
		if claimed[name] == nil {
			inherited = append(inherited, name)
			claimed[name] = later
		}
	}
	later.rec.Removes = append(slices.Clip(later.rec.Removes), inherited...)
	for _, sent := range e.rec.Sent {
		if slices.Contains(inherited, sent.Name) {
			later.rec.Sent = append(slices.Clip(later.rec.Sent), sent)
		}
	}
	h := s.recordHeader(&later.rec, later.durability)
	if err := s.rewrite(later, &h, Durable); err != nil {
		return err
	}
	return s.remove(e)
}
