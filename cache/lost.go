package cache

import (
	"errors"
	"io/fs"
	"path"
	"strings"
)

// A LostRecord is a record that cannot be applied: the remote refused it permanently, or its file
// is damaged.
type LostRecord struct {
	Record            // of a damaged one only ID and Size are known
	Reason     string // one line
	Damaged    bool   // it has no readable header; Retry fails
	Superseded bool   // something newer of its name was applied since; Retry fails
}

// Fail moves the record to lost/ with a reason. It stays there until Retry or DropLost.
func (s *Store) Fail(id string, reason error) error {
	e, err := s.findDirty("fail", id)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := s.describeLost(e, oneLine(reason.Error()), false); err != nil {
		return &fs.PathError{Op: "fail", Path: e.rec.Name, Err: err}
	}
	if err := s.moveEntry(e, stateLost); err != nil {
		return err
	}
	return errors.Join(s.disk.SyncDir(lostDir), s.syncDirty.wait())
}

// describeLost writes the header of a lost record.
//
// LOCKS_REQUIRED(e.mu)
func (s *Store) describeLost(e *entry, reason string, superseded bool) error {
	h := s.recordHeader(&e.rec, e.durability)
	h.State, h.Reason, h.Superseded = stateLost, reason, superseded
	durability := Durable
	if e.syncFailed { // it cannot be made durable
		durability = Spooled
	}
	err := s.rewrite(e, &h, durability)
	if errors.Is(err, ErrNameTooLong) {
		h.Reason = ""
		err = s.rewrite(e, &h, durability)
	}
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e.reason, e.superseded = reason, superseded
	return nil
}

// maxReason bounds a reason in bytes, so that it usually fits in the header.
const maxReason = 512

func oneLine(reason string) string {
	reason = strings.ReplaceAll(reason, "\n", "; ")
	return strings.ToValidUTF8(reason[:min(len(reason), maxReason)], "")
}

// moveEntry renames a file between dirty/ and lost/.
//
// LOCKS_REQUIRED(e.mu)
func (s *Store) moveEntry(e *entry, to state) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.disk.Rename(entryPath(e.state, e.rec.ID), entryPath(to, e.rec.ID)); err != nil {
		return err
	}
	s.quota.transition(e.state, to, e.bytes)
	e.state = to
	delete(s.dirty, e.rec.ID)
	delete(s.lost, e.rec.ID)
	if to == stateLost {
		s.lost[e.rec.ID] = e
	} else {
		s.dirty[e.rec.ID] = e
	}
	return nil
}

// Lost returns the records in lost/, by Seq.
func (s *Store) Lost() ([]LostRecord, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lost := make([]LostRecord, 0, len(s.lost))
	for _, r := range inOrder(s.lost) {
		e := s.lost[r.ID]
		lost = append(lost, LostRecord{Record: r, Reason: e.reason, Damaged: e.damaged, Superseded: e.superseded})
	}
	return lost, nil
}

// OpenLost opens the content of a lost record; of a damaged one, the bytes after the header.
func (s *Store) OpenLost(id string) (*Content, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.lost[id]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: id, Err: fs.ErrNotExist}
	}
	return s.openEntry(e)
}

// DropLost removes a lost record and its content.
func (s *Store) DropLost(id string) error {
	e, err := s.lostEntry("drop", id)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := s.remove(e); err != nil {
		return err
	}
	return s.disk.SyncDir(lostDir)
}

func (s *Store) lostEntry(op, id string) (*entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.lost[id]
	if !ok {
		return nil, &fs.PathError{Op: op, Path: path.Join(lostDir, id), Err: fs.ErrNotExist}
	}
	return e, nil
}
