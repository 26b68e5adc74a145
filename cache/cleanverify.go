package cache

import "io"

// A State is a snapshot of a Copy.
type State struct {
	edits int
	// Whole means that all bytes of the file are held, Verified that their checksum was right.
	Whole, Verified bool
}

// State returns the current state.
func (h *Copy) State() State {
	c := h.c
	c.mu.Lock()
	defer c.mu.Unlock()
	return State{c.edits, c.held.covers(span{0, c.fingerprint.Size}), c.verified}
}

// SetVerified records that the whole copy was read in this State and had the right checksum. This
// is valid until bytes are punched out, or until the process ends.
func (h *Copy) SetVerified(in State) {
	c := h.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if in.Whole && in.edits == c.edits {
		c.verified = true
	}
}

// Verify writes the whole copy to sum and returns the result of is. A copy that is not whole, or
// that was verified before, counts as right.
func (h *Copy) Verify(sum io.Writer, is func() bool) (right bool, err error) {
	in := h.State()
	if !in.Whole || in.Verified {
		return true, nil
	}
	p := make([]byte, min(h.c.fingerprint.Size, 256<<10))
	for off := int64(0); off < h.c.fingerprint.Size; {
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
