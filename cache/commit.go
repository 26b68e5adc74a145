package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"syscall"
	"time"

	"ferry/disk"
)

// Commit makes the draft the waiting content of r.Name and forgets the owner's part of the draft's
// name. ID, Seq, Size and Committed of r are assigned; Kind is File. When it returns a Durable
// record, that survives the loss of power. When it fails, the draft is still there for Keep or
// Abort, and no record is.
func (d *Draft) Commit(ctx context.Context, r Record, a Ack) (Record, error) {
	if err := d.enter(); err != nil {
		return Record{}, d.fail(err)
	}
	if ctx.Err() != nil {
		return Record{}, d.fail(errors.Join(context.Cause(ctx), d.leave()))
	}
	if d.streamed.Load() {
		return Record{}, d.fail(errors.Join(fs.ErrInvalid, d.leave()))
	}
	if d.unsound {
		return Record{}, d.fail(errors.Join(errUnsound, d.leave()))
	}
	r.Kind, r.ID, r.Seq, r.Size = File, d.id, 0, d.size.Load()
	e := &entry{rec: r, ack: a, bytes: d.counted, state: stateWaiting, slots: d.slots}
	err := d.s.commit(d.stopped, e, d.owner, d.file, d.path())
	if err != nil {
		d.slots, d.unsound = e.slots, e.unsound
		return Record{}, d.fail(errors.Join(err, d.leave()))
	}
	d.leaveEnded()
	// The record is there, whatever these say: the file is written, and an old part does not
	// concern it.
	_ = d.file.Close()
	_ = d.s.dropPart(partID{d.name, d.owner})
	return d.s.recordOf(e), nil
}

// errUnsound refuses what a sync has failed for: a system may then drop what was to be synced, and
// the next sync succeeds.
var errUnsound = fmt.Errorf("what was written may be gone after a failed sync: %w", syscall.EIO)

func (s *Store) recordOf(e *entry) Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return e.record()
}

// Add makes a record without a content: any but a File. It needs no room to wait for. With a Seq
// the record takes that place in the order, beside the one that has it: what was split off a change
// is not newer than what came after that.
func (s *Store) Add(ctx context.Context, r Record, a Ack) (Record, error) {
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
	s.room.enter(stateDraft, dataStart)
	e := &entry{rec: r, ack: a, bytes: dataStart, state: stateWaiting}
	if err := s.commit(ctx.Done(), e, "", f, tmp); err != nil {
		s.room.leave(stateDraft, dataStart)
		return Record{}, errors.Join(err, f.Close(), s.disk.Remove(tmp))
	}
	_ = f.Close() // the record is there
	return s.recordOf(e), nil
}

// commit gives the record of e its Seq, its header and its place in dirty/. When it fails, the file
// is where it was. done cuts the wait for a full disk short. Until the rename the file is an upload
// of owner.
func (s *Store) commit(done <-chan struct{}, e *entry, owner string, f disk.File, from string) error {
	e.rec.Removes = slices.Clone(e.rec.Removes)
	e.rec.Committed = time.Now()
	if e.rec.Seq == 0 {
		e.rec.Seq = s.nextSeq()
	}
	h := s.recordHeader(&e.rec, e.ack)
	h.Owner = owner
	if err := s.room.whenFull(done, slotSize, func() error { return e.slots.write(f, &h) }); err != nil {
		return err
	}
	if e.ack == Durable {
		if err := e.slots.sync(f); err != nil {
			e.unsound = true
			return err
		}
	}
	to := path.Join(dirtyDir, e.rec.ID)
	if err := s.disk.Rename(from, to); err != nil {
		return err
	}
	if e.ack == Durable {
		if err := s.syncDirty.wait(); err != nil {
			return errors.Join(err, s.disk.Rename(to, from))
		}
	}
	s.room.move(stateDraft, stateWaiting, e.bytes)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dirty[e.rec.ID] = e
	return nil
}

func (s *Store) nextSeq() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	return s.seq
}

// putHeader writes the next header of a file, and syncs the file if a is Durable.
func (s *Store) putHeader(f disk.File, sl *slots, h *header, a Ack) error {
	if err := sl.write(f, h); err != nil {
		return err
	}
	if a == Spooled {
		return nil
	}
	return sl.sync(f)
}

func (s *Store) recordHeader(r *Record, a Ack) header {
	return header{
		State: stateWaiting, Kind: r.Kind, Name: r.Name, Seq: r.Seq, Size: r.Size, ModTime: r.ModTime, Committed: r.Committed,
		Base: r.Base, Version: r.BaseVersion, Removes: r.Removes, Source: r.Source, FactsOf: r.FactsOf, Boot: s.disk.Boot(), Spooled: a == Spooled,
	}
}

// Update changes Name, Removes, ModTime, Base, BaseVersion and FactsOf of the record r.ID in one
// step; everything else of r is ignored. A new Name gives it a new Seq. A Durable record stays
// Durable in any case.
func (s *Store) Update(ctx context.Context, r Record, a Ack) (Record, error) {
	if ctx.Err() != nil {
		return Record{}, context.Cause(ctx)
	}
	e, err := s.waiting("update", r.ID)
	if err == nil {
		err = s.markLost(e, &r)
	}
	if err != nil {
		return Record{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	s.mu.Lock()
	next, ack := e.record(), min(a, e.ack)
	s.mu.Unlock()
	if next.Name != r.Name {
		next.Seq = s.nextSeq()
	}
	next.Name, next.Removes, next.ModTime, next.Base, next.BaseVersion = r.Name, slices.Clone(r.Removes), r.ModTime, r.Base, r.BaseVersion
	next.FactsOf = r.FactsOf
	h := s.recordHeader(&next, ack)
	if err := s.rewrite(e, &h, ack); err != nil {
		return Record{}, &fs.PathError{Op: "update", Path: r.Name, Err: err}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e.rec, e.ack = next, ack
	return e.record(), nil
}

// rewrite gives a file in dirty/ or lost/ another header.
//
// LOCKS_REQUIRED(e.mu)
func (s *Store) rewrite(e *entry, h *header, a Ack) error {
	f, err := s.disk.OpenFile(entryPath(e.state, e.rec.ID), os.O_RDWR)
	if err != nil {
		return err
	}
	return errors.Join(s.rewriteOpen(e, f, h, a), f.Close())
}

func (s *Store) rewriteOpen(e *entry, f disk.File, h *header, a Ack) error {
	// A header that says that all is synced must not reach the disk before the rest. What a process
	// before this one wrote may not be synced either, and then it is the other slot that is safe.
	if e.slots.loaded || a == Durable && e.ack == Spooled {
		if err := e.syncContent(f); err != nil {
			return err
		}
	}
	return s.putHeader(f, &e.slots, h, a)
}

// syncContent makes what the record holds survive a loss of power, or finds that it may be gone.
//
// LOCKS_REQUIRED(e.mu)
func (e *entry) syncContent(f disk.File) error {
	if e.unsound {
		return errUnsound
	}
	err := e.slots.sync(f)
	e.unsound = err != nil && e.ack == Spooled
	return err
}

// waiting finds a record that waits.
func (s *Store) waiting(op, id string) (*entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.dirty[id]
	if !ok {
		return nil, &fs.PathError{Op: op, Path: id, Err: fs.ErrNotExist}
	}
	return e, nil
}

// Drop removes a record: it was superseded by a later one, or its file was deleted again before
// anything was sent. When a Durable Drop returns, the record does not come back after a loss of
// power; a Spooled one is enough where a later record claims the same name, or none need to know.
// Contents that are open stay readable.
func (s *Store) Drop(id string, a Ack) error {
	e, err := s.waiting("drop", id)
	if err == nil {
		err = s.markLost(e, nil)
	}
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return s.drop(e, a)
}

// drop removes the file of a record.
//
// LOCKS_REQUIRED(e.mu)
func (s *Store) drop(e *entry, a Ack) error {
	if err := s.remove(e); err != nil {
		return err
	}
	if a == Spooled {
		return nil
	}
	return s.syncDirty.wait()
}

// remove removes the file of an entry, and gives its bytes back as soon as nobody reads them.
//
// LOCKS_REQUIRED(e.mu)
func (s *Store) remove(e *entry) error {
	s.hide(e)
	if err := s.disk.Remove(entryPath(e.state, e.rec.ID)); err != nil {
		s.show(e)
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e.removed = true
	s.giveUnread(e)
	return nil
}

// hide takes an entry out of the index before its file goes, so that nobody opens it any more; show
// is the way back.
func (s *Store) hide(e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.hidden = true
	delete(s.dirty, e.rec.ID)
	delete(s.lost, e.rec.ID)
}

func (s *Store) show(e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.hidden = false
	if e.state == stateLost {
		s.lost[e.rec.ID] = e
	} else {
		s.dirty[e.rec.ID] = e
	}
}

// giveUnread gives back the bytes of a file that is removed and read by nobody.
//
// LOCKS_REQUIRED(s.mu)
func (s *Store) giveUnread(e *entry) {
	if e.removed && e.readers == 0 {
		s.room.leave(e.state, e.bytes)
	}
}

// Done says that the remote has what the record wanted. With keep, the content becomes the clean
// copy of the version as; else it goes. The record does not come back, also after a loss of power.
func (s *Store) Done(id string, as Fingerprint, keep bool) error {
	e, err := s.waiting("done", id)
	if err == nil {
		err = s.markLost(e, nil)
	}
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !keep || e.rec.Kind != File {
		return s.drop(e, Durable)
	}
	// Until its move is synced, a loss of power may make it a waiting file again: nothing may be
	// cut out of it before.
	s.pin(e, 1)
	defer s.pin(e, -1)
	if err := s.adopt(e, as); err != nil {
		return s.drop(e, Durable) // a copy that cannot be kept is no reason to do it again
	}
	return s.syncDirty.wait()
}

// pin counts a reader that comes or goes.
func (s *Store) pin(e *entry, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.readers += n
	s.giveUnread(e)
}

// adopt makes the file of a record a clean copy.
//
// LOCKS_REQUIRED(e.mu)
func (s *Store) adopt(e *entry, as Fingerprint) error {
	from := path.Join(dirtyDir, e.rec.ID)
	f, err := s.disk.OpenFile(from, os.O_RDWR)
	if err != nil {
		return err
	}
	s.hide(e)
	busy := func(within time.Duration) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return e.readers > 0 || !e.lent.IsZero() && time.Since(e.lent) < within
	}
	s.room.move(stateWaiting, stateClean, e.bytes)
	if err := s.copies.adopt(from, f, &e.slots, s.copyHeader(e.rec.Name, as), e.bytes, busy); err != nil {
		s.room.move(stateClean, stateWaiting, e.bytes)
		s.show(e)
		return errors.Join(err, f.Close())
	}
	return f.Close()
}

// copyHeader describes a copy that is held as a whole.
func (s *Store) copyHeader(name string, as Fingerprint) header {
	return header{
		State: stateClean, Name: name, Size: as.Size, ModTime: as.ModTime, Version: as.Version, Hash: as.Hash,
		Committed: time.Now(), Held: []extent{{0, as.Size}}, Boot: s.disk.Boot(), Spooled: true,
	}
}

// Adopt ends a draft that was sent to the remote as it is: with keep it becomes the clean copy of
// the version as, else it goes.
func (d *Draft) Adopt(as Fingerprint, keep bool) error {
	if !keep || d.streamed.Load() {
		return d.Abort()
	}
	if err := d.enter(); err != nil {
		return d.fail(err)
	}
	s := d.s
	s.room.move(stateDraft, stateClean, d.counted)
	if err := s.copies.adopt(d.path(), d.file, &d.slots, s.copyHeader(d.name, as), d.counted, nil); err != nil {
		s.room.move(stateClean, stateDraft, d.counted)
		return d.fail(errors.Join(err, d.leave()))
	}
	d.leaveEnded()
	return d.file.Close()
}
