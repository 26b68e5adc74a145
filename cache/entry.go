package cache

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"sync"
	"syscall"
	"time"

	"ferry/disk"
)

// An entry is a file in dirty/ or lost/.
type entry struct {
	mu    sync.Mutex // held while the file changes its header or directory
	slots slots      // guarded by mu

	// syncFailed is set when the first sync of the content has failed: it must not count as durable
	// any more.
	syncFailed bool // guarded by mu

	// guarded by Store.mu
	rec        Record
	durability Durability
	reason     string    // of a lost one
	readers    int       // open Contents
	inFlight   time.Time // when the last Content was closed whose bytes the kernel may still be sending
	unindexed  bool      // not in the index, must not be opened
	removed    bool      // the file is removed; its bytes are released with the last reader
	bytes      int64     // as counted by quota
	state      state
	damaged    bool // lost, and without a header

	superseded bool // lost, and something newer of its name was applied since
}

// record returns a copy of the record that shares no memory with the entry.
//
// LOCKS_REQUIRED(Store.mu)
func (e *entry) record() Record {
	rec := e.rec
	rec.Removes, rec.Sent = slices.Clone(rec.Removes), slices.Clone(rec.Sent)
	return rec
}

func (s *Store) recordOf(e *entry) Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return e.record()
}

func (s *Store) recordHeader(r *Record, dur Durability) header {
	return header{
		State: stateWaiting, Kind: r.Kind, Name: r.Name, Seq: r.Seq, Size: r.Size, ModTime: r.ModTime, Committed: r.Committed,
		Base: r.Base, Version: r.BaseVersion, Removes: r.Removes, Source: r.Source, FactsOf: r.FactsOf, Origin: r.Origin, Claim: r.Claim,
		Sent: r.Sent, Boot: s.disk.Boot(), Spooled: dur == Spooled,
	}
}

// record returns the record that a header describes.
func (h *header) record(id string) Record {
	return Record{
		ID: id, Seq: h.Seq, Kind: h.Kind, Name: h.Name, Size: h.Size, ModTime: h.ModTime, Base: h.Base, BaseVersion: h.Version,
		Removes: h.Removes, Source: h.Source, FactsOf: h.FactsOf, Origin: h.Origin, Claim: h.Claim, Sent: h.Sent,
		Committed: h.Committed, Recovered: true,
	}
}

// entryPath returns the path of the file of an entry.
func entryPath(st state, id string) string {
	if st == stateLost {
		return path.Join(lostDir, id)
	}
	return path.Join(dirtyDir, id)
}

func inOrder(entries map[string]*entry) []Record {
	records := make([]Record, 0, len(entries))
	for _, e := range entries {
		records = append(records, e.record())
	}
	slices.SortFunc(records, func(a, b Record) int {
		return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.ID, b.ID))
	})
	return records
}

func (s *Store) nextSeq() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	return s.seq
}

// findDirty returns a pending record.
func (s *Store) findDirty(op, id string) (*entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.dirty[id]
	if !ok {
		return nil, &fs.PathError{Op: op, Path: id, Err: fs.ErrNotExist}
	}
	return e, nil
}

// rewrite replaces the header of a file in dirty/ or lost/.
//
// LOCKS_REQUIRED(e.mu)
func (s *Store) rewrite(e *entry, h *header, dur Durability) error {
	f, err := s.disk.OpenFile(entryPath(e.state, e.rec.ID), os.O_RDWR)
	if err != nil {
		return err
	}
	return errors.Join(s.rewriteOpen(e, f, h, dur), f.Close())
}

func (s *Store) rewriteOpen(e *entry, f disk.File, h *header, dur Durability) error {
	// A header that claims that all is synced must not reach the disk before the content. The
	// header that an earlier process wrote may not be synced either; then only the other slot is
	// safe.
	if e.slots.loaded || dur == Durable && e.durability == Spooled {
		if err := e.syncContent(f); err != nil {
			return err
		}
	}
	return e.slots.put(f, h, dur)
}

// syncContent makes the content of the record durable, or marks it as possibly lost.
//
// LOCKS_REQUIRED(e.mu)
func (e *entry) syncContent(f disk.File) error {
	if e.syncFailed {
		return errSyncFailed
	}
	err := e.slots.sync(f)
	e.syncFailed = err != nil && e.durability == Spooled
	return err
}

// errSyncFailed is returned for a file after a failed sync: the system may have dropped the dirty
// pages, and the next sync would succeed without them.
var errSyncFailed = fmt.Errorf("what was written may be gone after a failed sync: %w", syscall.EIO)

// remove removes the file of an entry, and releases its bytes as soon as it has no readers.
//
// LOCKS_REQUIRED(e.mu)
func (s *Store) remove(e *entry) error {
	s.unindex(e)
	if err := s.disk.Remove(entryPath(e.state, e.rec.ID)); err != nil {
		s.reindex(e)
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e.removed = true
	s.releaseIfUnread(e)
	return nil
}

// unindex removes an entry from the index before its file is removed, so that it cannot be opened
// any more. reindex undoes it.
func (s *Store) unindex(e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.unindexed = true
	delete(s.dirty, e.rec.ID)
	delete(s.lost, e.rec.ID)
}

func (s *Store) reindex(e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.unindexed = false
	if e.state == stateLost {
		s.lost[e.rec.ID] = e
	} else {
		s.dirty[e.rec.ID] = e
	}
}

// releaseIfUnread releases the bytes of a file that is removed and has no readers.
//
// LOCKS_REQUIRED(s.mu)
func (s *Store) releaseIfUnread(e *entry) {
	if e.removed && e.readers == 0 {
		s.quota.removeFile(e.state, e.bytes)
	}
}

// pin adds n to the number of readers.
func (s *Store) pin(e *entry, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.readers += n
	s.releaseIfUnread(e)
}
