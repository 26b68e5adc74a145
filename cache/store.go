package cache

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"sync"
	"time"

	"ferry/disk"
)

// A Store is the cache of one remote. It may be used by several goroutines.
type Store struct {
	// dependencies
	disk disk.Disk
	lock io.Closer

	// constant
	o         Options
	began     time.Time // when it was opened
	quota     *quota
	syncDirty *dirSync
	syncPart  *dirSync
	copies    *copySet

	// changeParts is held during renames into and out of part/. It is locked before mu, and held
	// during disk operations.
	changeParts sync.Mutex

	doubts  []Doubt      // found by Open, constant since
	uploads []UploadNote // found by Open, constant since

	mu    sync.Mutex
	seq   uint64            // the last one assigned
	dirty map[string]*entry // by ID
	lost  map[string]*entry // by ID
	parts parts
}

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

// Open opens and locks the cache on d. It reads all headers in dirty/; it does not read clean/. It
// returns ErrInUse while another process has the cache open, and ErrVersion if a newer ferry has
// written the pending records.
func Open(d disk.Disk, o Options) (*Store, error) {
	if o.PollInterval <= 0 {
		o.PollInterval = time.Minute
	}
	lock, err := d.Lock(lockName)
	if held := (*disk.HeldError)(nil); errors.As(err, &held) {
		return nil, fmt.Errorf("%w: %w", ErrInUse, held)
	}
	if err != nil {
		return nil, err
	}
	s := &Store{
		disk: d, lock: lock, o: o, began: time.Now(),
		quota: newQuota(o, d.Free),
		dirty: map[string]*entry{}, lost: map[string]*entry{}, parts: newParts(),
	}
	s.syncDirty = newDirSync(func() error { return d.SyncDir(dirtyDir) })
	s.syncPart = newDirSync(func() error { return d.SyncDir(partDir) })
	s.copies = newCopySet(s)
	s.quota.evict = s.copies.evict
	if err := s.recover(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return s, nil
}

// Close syncs spooled records and unlocks the cache. Open Contents stay readable.
func (s *Store) Close() error {
	return errors.Join(s.syncSpooled(), s.copies.close(), s.lock.Close())
}

// Run does background work until ctx ends: it makes spooled records durable, indexes the clean
// copies of earlier processes, and expires parts and copies. The Store has no other background
// work. It returns early on a disk error, and may then be called again.
func (s *Store) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	copiesEnded := make(chan struct{})
	go func() {
		defer close(copiesEnded)
		s.copies.run(ctx)
	}()
	err := s.runMaintenance(ctx)
	cancel()
	<-copiesEnded
	return err
}

// runMaintenance syncs spooled records and expires parts.
func (s *Store) runMaintenance(ctx context.Context) error {
	settle := time.NewTicker(syncInterval)
	defer settle.Stop()
	poll := time.NewTicker(s.o.PollInterval)
	defer poll.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-settle.C:
			err = s.syncSpooled()
		case <-poll.C:
			err = s.expireParts(time.Now())
		}
		if err != nil {
			return err
		}
	}
}

// Pending returns the pending records, by Seq.
func (s *Store) Pending() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return inOrder(s.dirty)
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

// record returns a copy of the record that shares no memory with the entry.
//
// LOCKS_REQUIRED(Store.mu)
func (e *entry) record() Record {
	rec := e.rec
	rec.Removes = slices.Clone(rec.Removes)
	return rec
}

// Stats describes what a Store keeps.
type Stats struct {
	Limit                               int64 // Options.MaxSize; 0: none
	Used                                int64 // bytes in all
	Drafts, Parts, Waiting, Lost, Clean Usage
}

// Usage is the number and the size of the files in one state.
type Usage struct {
	Files int
	Bytes int64
}

// Stats returns the current numbers.
func (s *Store) Stats() Stats {
	r := s.quota
	r.mu.Lock()
	defer r.mu.Unlock()
	of := func(st state) Usage { return Usage{Files: r.files[st], Bytes: r.bytes[st]} }
	return Stats{
		Limit: r.maxSize, Used: r.used,
		Drafts: of(stateDraft), Parts: of(statePart), Waiting: of(stateWaiting), Lost: of(stateLost), Clean: of(stateClean),
	}
}

// entryPath returns the path of the file of an entry.
func entryPath(st state, id string) string {
	if st == stateLost {
		return path.Join(lostDir, id)
	}
	return path.Join(dirtyDir, id)
}
