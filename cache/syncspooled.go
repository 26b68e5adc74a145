package cache

import (
	"errors"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// syncInterval is how often Run makes spooled records durable.
const syncInterval = 5 * time.Second

// syncWorkers is how many files are synced concurrently: a journaling file system commits them
// together.
const syncWorkers = 16

// syncSpooled makes spooled records durable. A record that was not synced before a power loss may
// be damaged, and Open treats it so: a spooled header is valid during the same boot only.
func (s *Store) syncSpooled() error {
	todo := s.spooled()
	if len(todo) == 0 {
		return nil
	}
	errs := make([]error, min(syncWorkers, len(todo)))
	var (
		next atomic.Int64
		wg   sync.WaitGroup
	)
	for i := range errs {
		wg.Go(func() {
			for n := next.Add(1) - 1; n < int64(len(todo)) && errs[i] == nil; n = next.Add(1) - 1 {
				err := s.syncRecord(todo[n])
				if !errors.Is(err, fs.ErrNotExist) { // else it was finished meanwhile
					errs[i] = err
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(errors.Join(errs...), s.syncDirty.wait())
}

func (s *Store) spooled() []*entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*entry
	for _, e := range s.dirty {
		if e.durability == Spooled {
			found = append(found, e)
		}
	}
	return found
}

// syncRecord syncs the content of a record and then records that in its header.
func (s *Store) syncRecord(e *entry) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.syncFailed { // it was reported once, and can only be sent
		return nil
	}
	f, err := s.disk.OpenFile(entryPath(e.state, e.rec.ID), os.O_RDWR)
	if err != nil {
		return err
	}
	h := s.recordHeader(&e.rec, Durable)
	err = e.syncContent(f)
	if err == nil {
		err = e.slots.put(f, &h, Durable)
	}
	if err == nil {
		s.mu.Lock()
		e.durability = Durable
		s.mu.Unlock()
	}
	return errors.Join(err, f.Close())
}

// Sync returns when all changes of records by calls that have returned are durable, including calls
// that failed in their last step.
func (s *Store) Sync() error { return s.syncDirty.wait() }
