package cache

import "io"

// edited notes that the copy holds other bytes than before.
// LOCKS_REQUIRED(c.mu)
func (c *clean) edited() {
	c.edits++
	c.verified = false
}

// A State of a Copy is one in which it holds certain bytes.
type State struct {
	edits int
	// Whole says that all bytes of the file are there, Verified that they had the right checksum.
	Whole, Verified bool
}

// State returns what is there now.
func (h *Copy) State() State {
	c := h.c
	c.mu.Lock()
	defer c.mu.Unlock()
	return State{c.edits, c.held.covers(span{0, c.print.Size}), c.verified}
}

// SetVerified notes that all of the copy was read in this State and had the right checksum. It is
// remembered until bytes are punched out, or until the process ends.
func (h *Copy) SetVerified(in State) {
	c := h.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if in.Whole && in.edits == c.edits {
		c.verified = true
	}
}

// Verify writes all of the copy to sum, and reports whether is then says that it is right. Where
// not all of it is there, or where it was found to be right before, it is right.
func (h *Copy) Verify(sum io.Writer, is func() bool) (right bool, err error) {
	in := h.State()
	if !in.Whole || in.Verified {
		return true, nil
	}
	p := make([]byte, min(h.c.print.Size, 256<<10))
	for off := int64(0); off < h.c.print.Size; {
		n, err := h.ReadAt(p, off)
		if err != nil && err != io.ErrUnexpectedEOF {
			return false, err
		}
		if err != nil {
			return false, nil // the file is shorter
		}
		if n == 0 { // it has been evicted
			return true, nil
		}
		if _, err := sum.Write(p[:n]); err != nil {
			return false, err
		}
		off += int64(n)
	}
	if !is() {
		return false, nil
	}
	h.SetVerified(in)
	return true, nil
}
