package local

import (
	"fmt"
	"io"

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

// readWithin is ReadFrom in pieces, each with a look at what is free before it.
func (s *stage) readWithin(src io.Reader) (total int64, err error) {
	for {
		if s.room <= 0 {
			if err := s.look(); err != nil {
				return total, s.endOf(src, err)
			}
		}
		n, err := s.readAll(io.LimitReader(src, s.room))
		total += n
		if err != nil || n < s.room {
			s.room -= n
			return total, err
		}
		s.room = 0
	}
}

// endOf returns full unless src has ended just here.
func (s *stage) endOf(src io.Reader, full error) error {
	var one [1]byte
	if _, err := io.ReadFull(src, one[:]); err == io.EOF {
		return nil
	}
	return fail("write", s.Name, full)
}
