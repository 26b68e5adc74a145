package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
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
	next.Sent = slices.DeleteFunc(slices.Clone(next.Sent), func(sent Sent) bool { return sent.Name != "" })
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
