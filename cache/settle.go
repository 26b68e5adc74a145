package cache

import (
	"errors"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// settleInterval is how often Run makes durable what was only spooled.
const settleInterval = 5 * time.Second

// settlers is how many files are settled at a time: a disk that commits a journal takes them
// together.
const settlers = 16

// settle makes durable what was only spooled. What it did not come to before a loss of power is
// lost, and Open finds out that it may be: a spooled header counts during the same run of the
// machine only.
func (s *Store) settle() error {
	todo := s.spooled()
	if len(todo) == 0 {
		return nil
	}
	errs := make([]error, min(settlers, len(todo)))
	var (
		next atomic.Int64
		wg   sync.WaitGroup
	)
	for i := range errs {
		wg.Go(func() {
			for n := next.Add(1) - 1; n < int64(len(todo)) && errs[i] == nil; n = next.Add(1) - 1 {
				err := s.settleOne(todo[n])
				if !errors.Is(err, fs.ErrNotExist) { // else it is done with meanwhile
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
		if e.ack == Spooled {
			found = append(found, e)
		}
	}
	return found
}

// settleOne syncs the content of a record, and then says so in its header.
func (s *Store) settleOne(e *entry) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.unsound { // it has been said once, and can only be sent
		return nil
	}
	f, err := s.disk.OpenFile(entryPath(e.state, e.rec.ID), os.O_RDWR)
	if err != nil {
		return err
	}
	h := s.recordHeader(&e.rec, Durable)
	err = e.syncContent(f)
	if err == nil {
		err = s.putHeader(f, &e.slots, &h, Durable)
	}
	if err == nil {
		s.mu.Lock()
		e.ack = Durable
		s.mu.Unlock()
	}
	return errors.Join(err, f.Close())
}
