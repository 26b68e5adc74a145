package local

import (
	"fmt"

	"ferry/remote"
)

// lookEvery is how much is written between two looks at what is free. Uploads that run together may
// go below the limit by that much each.
const lookEvery = 8 << 20

// look finds out how much may be written until the next look, and fails where that is nothing.
func (s *stage) look() error {
	least := s.r.o.MinFree
	if least <= 0 {
		return nil
	}
	_, free, err := s.r.tree.usage()
	if err != nil {
		return err
	}
	if free <= least {
		return fmt.Errorf("%w: %d bytes are free, and --min-free-space keeps %d", remote.ErrNoSpace, free, least)
	}
	s.room = min(free-least, lookEvery)
	return nil
}

// reserve takes n bytes of the room that there is.
func (s *stage) reserve(n int64) error {
	if s.room < n {
		if err := s.look(); err != nil {
			return err
		}
	}
	s.room -= n
	return nil
}
