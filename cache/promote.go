package cache

import (
	"errors"
	"os"
	"path"
	"time"
)

// Done removes a record that was applied to the remote. With keep, its content becomes the clean
// copy of version as; else it is removed. The record does not come back, even after a power loss.
func (s *Store) Done(id string, as Fingerprint, keep bool) error {
	e, err := s.findForRemoval("done", id)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !keep || e.rec.Kind != File {
		return s.drop(e, Durable)
	}
	// Until the rename is synced, a power loss may make it a pending file again: nothing may be
	// punched out of it before.
	s.pin(e, 1)
	defer s.pin(e, -1)
	if err := s.promoteToClean(e, as); err != nil {
		return s.drop(e, Durable) // failing to keep a copy is no reason to apply the change again
	}
	return s.syncDirty.wait()
}

// promoteToClean makes the file of a record a clean copy.
//
// LOCKS_REQUIRED(e.mu)
func (s *Store) promoteToClean(e *entry, as Fingerprint) error {
	from := path.Join(dirtyDir, e.rec.ID)
	f, err := s.disk.OpenFile(from, os.O_RDWR)
	if err != nil {
		return err
	}
	s.unindex(e)
	busy := func(within time.Duration) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return e.readers > 0 || !e.inFlight.IsZero() && time.Since(e.inFlight) < within
	}
	s.quota.transition(stateWaiting, stateClean, e.bytes)
	if err := s.copies.promoteToClean(from, f, &e.slots, s.copyHeader(e.rec.Name, as), e.bytes, busy); err != nil {
		s.quota.transition(stateClean, stateWaiting, e.bytes)
		s.reindex(e)
		return errors.Join(err, f.Close())
	}
	return f.Close()
}

// copyHeader returns the header of a complete copy.
func (s *Store) copyHeader(name string, as Fingerprint) header {
	return header{
		State: stateClean, Name: name, Size: as.Size, ModTime: as.ModTime, Version: as.Version, Hash: as.Hash,
		Committed: time.Now(), Held: []extent{{0, as.Size}}, Boot: s.disk.Boot(), Spooled: true,
	}
}

// CommitClean ends a draft that was sent to the remote already: with keep it becomes the clean copy
// of version as, else it is removed.
func (d *Draft) CommitClean(as Fingerprint, keep bool) error {
	if !keep || d.streamed.Load() {
		return d.Abort()
	}
	if err := d.beginCall(); err != nil {
		return d.fail(err)
	}
	if err := d.giveName(); err != nil {
		return d.fail(errors.Join(err, d.endCall()))
	}
	s := d.s
	s.quota.transition(stateDraft, stateClean, d.counted)
	if err := s.copies.promoteToClean(d.path(), d.file, &d.slots, s.copyHeader(d.name, as), d.counted, nil); err != nil {
		s.quota.transition(stateClean, stateDraft, d.counted)
		return d.fail(errors.Join(err, d.endCall()))
	}
	d.endDraft()
	return d.file.Close()
}
