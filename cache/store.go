package cache

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	s.quota.evictOwn = s.copies.evict
	if err := s.recover(); err != nil {
		s.quota.leave()
		return nil, errors.Join(err, lock.Close())
	}
	return s, nil
}

// Close syncs spooled records and unlocks the cache. Open Contents stay readable.
func (s *Store) Close() error {
	s.quota.leave()
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

// Pending returns the pending records, by Seq, without those of Claimed.
func (s *Store) Pending() []Record { return s.records(false) }

// records returns the records in dirty/ that have a Claim, or that have none, by Seq.
func (s *Store) records(claimed bool) []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(inOrder(s.dirty), func(r Record) bool { return (r.Claim != "") != claimed })
}

// Stats describes what a Store keeps.
type Stats struct {
	Limit                               int64 // Options.MaxSize, or that of the Share; 0: none
	Used                                int64 // bytes in all
	Drafts, Parts, Waiting, Lost, Clean Usage
	Evictions                           uint64 // since Open; of copies, whole or in part
}

// Usage is the number and the size of the files in one state.
type Usage struct {
	Files int
	Bytes int64
}

// Stats returns the current numbers.
func (s *Store) Stats() Stats {
	r := s.quota
	r.share.mu.Lock()
	defer r.share.mu.Unlock()
	of := func(st state) Usage { return Usage{Files: r.files[st], Bytes: r.bytes[st]} }
	return Stats{
		Limit: r.share.max, Used: r.used,
		Drafts: of(stateDraft), Parts: of(statePart), Waiting: of(stateWaiting), Lost: of(stateLost), Clean: of(stateClean),
		Evictions: s.copies.evicted.Load(),
	}
}
