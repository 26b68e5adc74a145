package cache

import (
	"errors"
	"io/fs"
	"os"
	"time"
)

// settleInterval is how often Run makes durable what was only spooled.
const settleInterval = 5 * time.Second

// settle makes durable what was only spooled. What it did not come to before a loss of power is lost, and Open finds out
// that it may be: a spooled header counts during the same run of the machine only.
func (s *Store) settle() error {
	var settled []*entry
	for _, e := range s.spooled() {
		err := s.settleOne(e)
		if errors.Is(err, fs.ErrNotExist) { // done with meanwhile
			continue
		}
		if err != nil {
			return err
		}
		settled = append(settled, e)
	}
	if len(settled) == 0 {
		return nil
	}
	return s.syncDirty.wait()
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
	f, err := s.disk.OpenFile(entryPath(e.state, e.rec.ID), os.O_RDWR)
	if err != nil {
		return err
	}
	h := s.recordHeader(&e.rec, Durable)
	err = e.slots.sync(f)
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
