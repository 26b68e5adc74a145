package cache

import (
	"errors"
	"io"
	"slices"
	"sync"
)

// A Copy is a handle on the copy of one version of a file. It may be used by several goroutines.
type Copy struct {
	c    *clean
	once sync.Once
}

// Close releases the handle. The copy stays until it is evicted.
func (h *Copy) Close() (err error) {
	h.once.Do(func() { err = h.c.set.release(h.c) })
	return err
}

// Held returns how many contiguous bytes are held from off on. They may be evicted at any time.
func (h *Copy) Held(off int64) int64 {
	h.c.mu.Lock()
	defer h.c.mu.Unlock()
	return h.c.held.run(off)
}

// Missing returns the first gap in the n bytes from off on: its offset and its length; 0 if all
// bytes are held.
func (h *Copy) Missing(off, n int64) (missingOff, missing int64) {
	h.c.mu.Lock()
	defer h.c.mu.Unlock()
	s, _ := h.c.held.missing(span{off, off + n})
	return s.off, s.len()
}

// ReadAt reads the bytes held from off on; it may return fewer than len(p), or none. An error comes
// from the disk: the copy is unusable then.
func (h *Copy) ReadAt(p []byte, off int64) (int, error) {
	s, ok := h.c.pin(off, int64(len(p)))
	if !ok {
		return 0, nil
	}
	defer h.c.unpin(s)
	n, err := h.c.file.ReadAt(p[:s.len()], dataStart+off)
	if n == int(s.len()) {
		return n, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// WriteAt adds p to the copy. It evicts other copies, and other bytes of this one, as needed. It
// does not wait for quota: where there is none it is ErrNoSpace, and p is not kept.
func (h *Copy) WriteAt(p []byte, off int64) error {
	c := h.c
	s := span{off, off + int64(len(p))}
	c.mu.Lock()
	if c.held.covers(s) {
		c.mu.Unlock()
		return nil
	}
	c.pinned.add(s) // protect it against others while it is written
	c.mu.Unlock()

	if err := c.set.reserve(s.len()); err != nil {
		c.unpin(s)
		return err
	}
	if err := c.write(p, off); err != nil {
		c.undoWrite(s)
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pinned.remove(s)
	added := c.held.add(s)
	c.bytes += added
	c.changed = true
	c.edited()
	c.set.s.quota.release(stateClean, s.len()-added)
	return nil
}

// undoWrite cleans up after a failed write: it frees the bytes that the write may have left, except
// those that others have written or are writing.
func (c *clean) undoWrite(s span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pinned.remove(s)
	taken := slices.Clone(c.held)
	for _, in := range c.pinned {
		taken.add(in)
	}
	for rest := s; ; {
		gap, any := taken.missing(rest)
		if !any {
			break
		}
		_ = c.file.PunchHole(dataStart+gap.off, gap.len()) // what remains is freed with the file
		rest.off = gap.end
	}
	c.set.s.quota.release(stateClean, s.len())
}

// write writes p to the file. If the disk is full, it evicts and tries once more.
func (c *clean) write(p []byte, off int64) error {
	_, err := c.file.WriteAt(p, dataStart+off)
	if err != nil && diskFull(err) {
		if c.set.evict(int64(len(p))) == 0 {
			return ErrNoSpace
		}
		if _, err = c.file.WriteAt(p, dataStart+off); err != nil && diskFull(err) {
			return ErrNoSpace
		}
	}
	return err
}

// reserve reserves n bytes for a write to a copy, evicting others as needed.
func (cs *copySet) reserve(n int64) error {
	for {
		lack, err := cs.s.quota.tryReserve(stateClean, n)
		if err != nil || lack <= 0 {
			return err
		}
		if cs.s.quota.evict(lack, false) == 0 {
			return ErrNoSpace
		}
	}
}
