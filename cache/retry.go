package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"
)

// Retry moves a lost record back to those that wait, as the latest one. Where that would undo
// something newer it is refused with fs.ErrExist, and nothing has happened: something of that name,
// or of one above or below it, waits; a later record of that name is lost as well; or something
// newer of it was carried out, or done by those who called MarkSuperseded. Names that differ in
// case count as one. What the record was to remove besides is forgotten: there may be other files
// under those names by now.
//
// Nobody may commit anything of that name, or of one above or below it, at the same time.
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
	if err := s.newer(e); err != nil {
		return Record{}, &fs.PathError{Op: "retry", Path: e.rec.Name, Err: err}
	}
	next := e.rec
	next.Seq, next.Committed, next.Base, next.BaseVersion, next.Removes = s.nextSeq(), time.Now(), BaseUnknown, "", nil
	h := s.recordHeader(&next, Durable)
	if err := s.rewrite(e, &h, Durable); err != nil {
		return Record{}, &fs.PathError{Op: "retry", Path: id, Err: err}
	}
	s.mu.Lock()
	e.rec, e.ack, e.reason = next, Durable, ""
	s.mu.Unlock()
	if err := s.transfer(e, stateWaiting); err != nil {
		return Record{}, err
	}
	return s.recordOf(e), errors.Join(s.syncDirty.wait(), s.disk.SyncDir(lostDir))
}

// newer returns an error where something newer than the lost record is known.
func (s *Store) newer(e *entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.superseded {
		return fmt.Errorf("something newer of that name was stored or deleted since; export this one, or drop it: %w", fs.ErrExist)
	}
	for _, other := range s.dirty {
		if other.rec.bars(&e.rec) {
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

// touches reports whether name is one that r claims, or is to remove.
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

// bars reports whether r, which waits, says that what lost wanted shall not be there, or shall be
// something else.
func (r *Record) bars(lost *Record) bool {
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

// isBelow reports whether name lies in the directory dir, whatever the case of either.
func isBelow(name, dir string) bool {
	name, dir = strings.ToLower(name), strings.ToLower(dir)
	return dir == "." || len(name) > len(dir) && name[len(dir)] == '/' && strings.HasPrefix(name, dir)
}

// MarkSuperseded tells that something newer was made of names, and of what is below them, than any
// lost record wants: it did not wait here, but was done on the remote. Those records cannot be
// retried any more.
func (s *Store) MarkSuperseded(names ...string) error { return s.mark(0, true, names) }

// markLost marks the lost records that e supersedes, before it stops to say so: before it goes
// (next is nil), or claims and removes the names of next only.
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
	return s.mark(rec.Seq, rec.Kind != Dir, names)
}

// mark marks the lost records of names as superseded, and with below those of what is below them:
// those before seq, or with 0 all of them.
func (s *Store) mark(seq uint64, below bool, names []string) error {
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
