package cache

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"time"

	"ferry/disk"
)

// Commit makes the draft a pending File record of r.Name and drops the owner's part of the draft's
// name. It assigns ID, Seq, Size and, without a Claim, Committed of r; Kind is File. A Durable
// record survives a power loss once Commit has returned. If it fails, there is no record, and the
// draft is still open for Keep or Abort.
func (d *Draft) Commit(ctx context.Context, r Record, dur Durability) (Record, error) {
	if err := d.beginCall(); err != nil {
		return Record{}, d.fail(err)
	}
	if ctx.Err() != nil {
		return Record{}, d.fail(errors.Join(context.Cause(ctx), d.endCall()))
	}
	if d.streamed.Load() {
		return Record{}, d.fail(errors.Join(fs.ErrInvalid, d.endCall()))
	}
	if d.syncFailed {
		return Record{}, d.fail(errors.Join(errSyncFailed, d.endCall()))
	}
	r.Kind, r.ID, r.Seq, r.Size = File, d.id, 0, d.size.Load()
	e := &entry{rec: r, durability: dur, bytes: d.counted, state: stateWaiting, slots: d.slots}
	err := d.s.commit(d.stopped, e, d.owner, d.file, d.path(), d.moveTo)
	if err != nil {
		d.slots, d.syncFailed = e.slots, e.syncFailed
		return Record{}, d.fail(errors.Join(err, d.endCall()))
	}
	d.endDraft()
	// The record exists whatever these return: the file is written, and an old part does not
	// affect it.
	_ = d.file.Close()
	_ = d.s.dropPart(partID{d.name, d.owner})
	return d.s.recordOf(e), nil
}

// Add makes a record without content, of any Kind but File. It is not subject to the quota. If
// r.Seq is set, the record keeps it, even if another one has the same: a record that was split off
// a change must not be newer than the changes after that one.
func (s *Store) Add(ctx context.Context, r Record, dur Durability) (Record, error) {
	if ctx.Err() != nil {
		return Record{}, context.Cause(ctx)
	}
	r.ID = newID()
	if r.Kind != Moved {
		r.Size = 0
	}
	tmp := path.Join(tmpDir, r.ID)
	f, err := s.disk.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return Record{}, err
	}
	s.quota.addFile(stateDraft, dataStart)
	e := &entry{rec: r, durability: dur, bytes: dataStart, state: stateWaiting}
	move := func(to string) error { return s.disk.Rename(tmp, to) }
	if err := s.commit(ctx.Done(), e, "", f, tmp, move); err != nil {
		s.quota.removeFile(stateDraft, dataStart)
		return Record{}, errors.Join(err, f.Close(), s.disk.Remove(tmp))
	}
	_ = f.Close() // the record is there
	return s.recordOf(e), nil
}

// commit assigns the Seq of e, writes its header and moves its file to dirty/. If it fails, the
// file is named from, or has no name as before. Closing done ends the wait for a full disk. Until
// the move the file is an upload of owner.
func (s *Store) commit(
	done <-chan struct{}, e *entry, owner string, f disk.File, from string, move func(to string) error,
) error {
	e.rec.Removes, e.rec.Sent = slices.Clone(e.rec.Removes), slices.Clone(e.rec.Sent)
	if e.rec.Claim == "" || e.rec.Committed.IsZero() { // else it was made on another node
		e.rec.Committed = time.Now()
	}
	if e.rec.Seq == 0 {
		e.rec.Seq = s.nextSeq()
	}
	h := s.recordHeader(&e.rec, e.durability)
	h.Owner = owner
	if err := s.quota.retryOnENOSPC(done, slotSize, func() error { return e.slots.write(f, &h) }); err != nil {
		return err
	}
	if e.durability == Durable {
		if err := e.slots.sync(f); err != nil {
			e.syncFailed = true
			return err
		}
	}
	to := path.Join(dirtyDir, e.rec.ID)
	if err := move(to); err != nil {
		return err
	}
	if e.durability == Durable {
		if err := s.syncDirty.wait(); err != nil {
			return errors.Join(err, s.disk.Rename(to, from))
		}
	}
	s.quota.transition(stateDraft, stateWaiting, e.bytes)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dirty[e.rec.ID] = e
	return nil
}

// Update changes Name, Removes, Sent, ModTime, Base, BaseVersion, FactsOf and Origin of the record
// r.ID atomically; it ignores the other fields of r. A new Name gets a new Seq. A Durable record
// stays Durable in any case.
func (s *Store) Update(ctx context.Context, r Record, dur Durability) (Record, error) {
	if ctx.Err() != nil {
		return Record{}, context.Cause(ctx)
	}
	e, err := s.findDirty("update", r.ID)
	if err == nil {
		err = s.markLost(e, &r)
	}
	if err != nil {
		return Record{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	s.mu.Lock()
	next, durability := e.record(), min(dur, e.durability)
	s.mu.Unlock()
	if next.Name != r.Name {
		next.Seq = s.nextSeq()
	}
	next.Name, next.Removes, next.ModTime, next.Base, next.BaseVersion = r.Name, slices.Clone(r.Removes), r.ModTime, r.Base, r.BaseVersion
	next.FactsOf, next.Origin, next.Sent = r.FactsOf, r.Origin, slices.Clone(r.Sent)
	h := s.recordHeader(&next, durability)
	if err := s.rewrite(e, &h, durability); err != nil {
		return Record{}, &fs.PathError{Op: "update", Path: r.Name, Err: err}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e.rec, e.durability = next, durability
	return e.record(), nil
}

// findForRemoval finds a record that is about to be removed, and marks the lost records that it
// supersedes.
func (s *Store) findForRemoval(op, id string) (*entry, error) {
	e, err := s.findDirty(op, id)
	if err == nil {
		err = s.markLost(e, nil)
	}
	return e, err
}

// Drop removes a record: it was superseded by a later one, or its file was deleted before it was
// sent. After a Durable Drop the record does not come back after a power loss. A Spooled one is
// enough if a later record has the same name, or if it does not matter. Open Contents stay
// readable.
func (s *Store) Drop(id string, dur Durability) error {
	e, err := s.findForRemoval("drop", id)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return s.drop(e, dur)
}

// drop removes the file of a record.
//
// LOCKS_REQUIRED(e.mu)
func (s *Store) drop(e *entry, dur Durability) error {
	if err := s.remove(e); err != nil {
		return err
	}
	if dur == Spooled {
		return nil
	}
	return s.syncDirty.wait()
}
