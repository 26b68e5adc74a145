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
	room      *room
	syncDirty *dirSync
	syncPart  *dirSync
	copies    *copySet

	// changeParts is held while a file enters or leaves part/, before mu; it may take as long as
	// the disk does.
	changeParts sync.Mutex

	doubts  []Doubt      // found by Open, constant since
	uploads []UploadNote // found by Open, constant since

	mu    sync.Mutex
	seq   uint64            // the last one given
	dirty map[string]*entry // by ID
	lost  map[string]*entry // by ID
	parts parts
}

// An entry is a file in dirty/ or lost/.
type entry struct {
	mu    sync.Mutex // held while the file changes its header or directory
	slots slots      // guarded by mu

	// unsound is set when a sync has failed that was the first of the content: it must not count as
	// durable any more.
	unsound bool // guarded by mu

	// guarded by Store.mu
	rec     Record
	ack     Ack
	reason  string    // of a lost one
	readers int       // open Contents
	lent    time.Time // when the last of those was closed whose bytes the kernel may still be sending
	hidden  bool      // not in the index, and not to be opened
	removed bool      // the file is gone; its bytes are given back with the last reader
	bytes   int64     // as counted by room
	state   state
	damaged bool // lost, and without a header

	superseded bool // lost, and something newer of its name was carried out since
}

// Open takes the cache on d. What is in dirty/ is read as a whole, headers only; clean/ is not
// looked at. While another process has the cache, the error is ErrInUse; where a newer ferry has
// written what waits, ErrVersion.
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
		room:  newRoom(o, d.Free),
		dirty: map[string]*entry{}, lost: map[string]*entry{}, parts: newParts(),
	}
	s.syncDirty = newDirSync(func() error { return d.SyncDir(dirtyDir) })
	s.syncPart = newDirSync(func() error { return d.SyncDir(partDir) })
	s.copies = newCopySet(s)
	s.room.evict = s.copies.evict
	if err := s.recover(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return s, nil
}

// Close ends the use of the Store. Contents that are open stay readable.
func (s *Store) Close() error {
	return errors.Join(s.settle(), s.copies.close(), s.lock.Close())
}

// Run does what nobody waits for, until ctx ends: it makes durable what was only spooled, finds the
// clean copies that were there before, and drops what is too old. It is the only thing that goes on
// in the background. It ends early when the disk fails it, and may then be called again.
func (s *Store) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	copiesEnded := make(chan struct{})
	go func() {
		defer close(copiesEnded)
		s.copies.run(ctx)
	}()
	err := s.keepHouse(ctx)
	cancel()
	<-copiesEnded
	return err
}

// keepHouse settles what was spooled and expires parts.
func (s *Store) keepHouse(ctx context.Context) error {
	settle := time.NewTicker(settleInterval)
	defer settle.Stop()
	poll := time.NewTicker(s.o.PollInterval)
	defer poll.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-settle.C:
			err = s.settle()
		case <-poll.C:
			err = s.expireParts(time.Now())
		}
		if err != nil {
			return err
		}
	}
}

// Pending returns what waits to be carried out, in order.
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

// record returns a copy of the record that shares nothing with the entry.
//
// LOCKS_REQUIRED(Store.mu)
func (e *entry) record() Record {
	rec := e.rec
	rec.Removes = slices.Clone(rec.Removes)
	return rec
}

// Stats is what a Store keeps.
type Stats struct {
	Limit                               int64 // Options.MaxSize; 0: none
	Used                                int64 // bytes in all
	Drafts, Parts, Waiting, Lost, Clean Usage
}

// Usage is how much there is of one state.
type Usage struct {
	Files int
	Bytes int64
}

// Stats returns what the Store keeps at this moment.
func (s *Store) Stats() Stats {
	r := s.room
	r.mu.Lock()
	defer r.mu.Unlock()
	of := func(st state) Usage { return Usage{Files: r.files[st], Bytes: r.bytes[st]} }
	return Stats{
		Limit: r.maxSize, Used: r.used,
		Drafts: of(stateDraft), Parts: of(statePart), Waiting: of(stateWaiting), Lost: of(stateLost), Clean: of(stateClean),
	}
}

// entryPath is where the file of an entry stands.
func entryPath(st state, id string) string {
	if st == stateLost {
		return path.Join(lostDir, id)
	}
	return path.Join(dirtyDir, id)
}
