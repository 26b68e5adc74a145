package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"
)

// Retry makes a lost record pending again, as the latest one. It returns fs.ErrExist and changes
// nothing if that would undo something newer: a record of that name, or of one above or below it,
// is pending; a later record of that name is lost as well; or something newer of it was applied, or
// passed to MarkSuperseded. Names that differ only in case count as equal. The Removes of the
// record are dropped: there may be other files under those names by now.
//
// The caller prevents concurrent commits of that name, and of names above and below it.
func (s *Store) Retry(id string) (Record, error) {
	e, err := s.lostEntry("retry", id)
	if err != nil {
		return Record{}, err
	}
	if err := s.markLost(e, &Record{Name: e.rec.Name}); err != nil {
		return Record{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.damaged {
		return Record{}, &fs.PathError{Op: "retry", Path: id, Err: errDamaged}
	}
	if e.rec.Kind == Moved || e.rec.Kind == RemovedDir {
		err := fmt.Errorf("what is there may be something else by now; do it again with a client, and drop this one: %w", fs.ErrInvalid)
		return Record{}, &fs.PathError{Op: "retry", Path: e.rec.Name, Err: err}
	}
	if err := s.refuseIfNewer(e); err != nil {
		return Record{}, &fs.PathError{Op: "retry", Path: e.rec.Name, Err: err}
	}
	next := e.rec
	next.Seq, next.Committed, next.Base, next.BaseVersion, next.Removes = s.nextSeq(), time.Now(), BaseUnknown, "", nil
	h := s.recordHeader(&next, Durable)
	if err := s.rewrite(e, &h, Durable); err != nil {
		return Record{}, &fs.PathError{Op: "retry", Path: id, Err: err}
	}
	s.mu.Lock()
	e.rec, e.durability, e.reason = next, Durable, ""
	s.mu.Unlock()
	if err := s.moveEntry(e, stateWaiting); err != nil {
		return Record{}, err
	}
	return s.recordOf(e), errors.Join(s.syncDirty.wait(), s.disk.SyncDir(lostDir))
}

// refuseIfNewer returns an error if there is something newer than the lost record.
func (s *Store) refuseIfNewer(e *entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.superseded {
		return fmt.Errorf("something newer of that name was stored or deleted since; export this one, or drop it: %w", fs.ErrExist)
	}
	for _, other := range s.dirty {
		if other.rec.conflictsWith(&e.rec) {
			return fmt.Errorf("%s, which is newer, waits; let that be sent, or export or drop this one: %w", other.rec.Name, fs.ErrExist)
		}
	}
	for _, other := range s.lost {
		if other.rec.Seq > e.rec.Seq && other.rec.touches(e.rec.Name) {
			return fmt.Errorf("something newer of that name was refused, too (%s); retry or drop that one: %w", other.rec.ID, fs.ErrExist)
		}
	}
	return nil
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

// conflictsWith reports whether the pending r contradicts lost: it removes the file of lost, or
// puts something else in its place.
func (r *Record) conflictsWith(lost *Record) bool {
	if r.touches(lost.Name) {
		return true
	}
	for _, removed := range r.Removes {
		if isBelow(lost.Name, removed) {
			return true
		}
	}
	if isBelow(lost.Name, r.Name) {
		return r.Kind != Dir
	}
	return r.Kind != Removed && r.Kind != RemovedDir && lost.Kind != Dir && isBelow(r.Name, lost.Name)
}

// isBelow reports whether name is in the directory dir, ignoring case.
func isBelow(name, dir string) bool {
	name, dir = strings.ToLower(name), strings.ToLower(dir)
	return dir == "." || len(name) > len(dir) && name[len(dir)] == '/' && strings.HasPrefix(name, dir)
}

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
