package cache

import (
	"errors"
	"io"
	"slices"
	"time"

	"ferry/disk"
)

// What a header claims about a copy is true, whatever happens to the machine:
//
//   - A header that claims bytes which have not been synced is spooled: it counts during the same
//     run of the machine only.
//   - Before bytes are punched out that a header on the disk may claim, both slots are overwritten
//     by headers that claim nothing; where one of them would have counted after a loss of power,
//     this is synced.
//
// So whichever slots a loss of power brings back: what a header claims that counts is there.

// touchAfter is how far the last use in a header may lag behind.
const touchAfter = 5 * time.Minute

// fingerfingerprint returns the version in the header of a copy.
func (h *header) fingerprint() Fingerprint {
	return Fingerprint{Version: h.Version, Size: h.Size, ModTime: h.ModTime, Hash: h.Hash}
}

// held returns the bytes that the header of a copy claims.
func (h *header) held() ranges {
	var r ranges
	for _, e := range h.Held {
		if e.Off < h.Size && e.N <= h.Size-e.Off {
			r.add(span{e.Off, e.Off + e.N})
		}
	}
	return r
}

// readCopyHeader returns the newest valid header of a copy, or errDamaged.
func (s *Store) readCopyHeader(f disk.File, k copyKey) (header, slots, error) {
	b := make([]byte, dataStart)
	n, err := f.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return header{}, slots{}, err
	}
	var (
		found  header
		best   uint64 // its generation
		sl     slots
		failed = errDamaged
	)
	for i := range 2 {
		h, generation, err := decodeHeader(b[min(n, i*slotSize):min(n, (i+1)*slotSize)])
		if err != nil {
			continue
		}
		sl.generation = max(sl.generation, generation)
		counts := h.State == stateClean && copyKeyOf(h.Name) == k && (!h.Spooled || h.Boot != "" && h.Boot == s.disk.Boot())
		if counts && generation > best {
			found, best, sl.newest, failed = h, generation, i, nil
		}
	}
	return found, sl, failed
}

// header describes c as holding held, which has not been synced.
func (c *clean) header(held ranges) *header {
	h := &header{
		State: stateClean, Name: c.name, Size: c.fingerprint.Size, ModTime: c.fingerprint.ModTime, Version: c.fingerprint.Version,
		Hash: c.fingerprint.Hash, Committed: c.lastUsed, Boot: c.set.s.disk.Boot(), Spooled: true,
	}
	for _, s := range held {
		h.Held = append(h.Held, extent{s.off, s.len()})
	}
	return h
}

// extentSize is how many bytes an extent takes in a header, at most.
const extentSize = 2 + 2*10

// fitting returns the held ranges that fit in a header: the largest ones.
// LOCKS_REQUIRED(c.mu)
func (c *clean) fitting() (ranges, error) {
	bare, err := c.header(nil).encode(0)
	if err != nil {
		return nil, err
	}
	return c.held.largest((slotSize - len(bare)) / extentSize), nil
}

// describe writes the header of a copy if it has changed, or if its last use is outdated. Ranges
// that do not fit are dropped.
// LOCKS_REQUIRED(c.mu)
func (c *clean) describe(now time.Time) error {
	if len(c.held) == 0 || !c.changed && now.Sub(c.lastUsed) < touchAfter {
		return nil
	}
	keep, err := c.fitting()
	if err != nil {
		return err
	}
	if err := c.dropExcept(keep); err != nil {
		return err
	}
	c.lastUsed = now
	h := c.header(keep)
	if !c.changed && !c.spooled {
		h.Spooled = false
	}
	if err := c.slots.write(c.file, h); err != nil {
		return err
	}
	c.changed, c.claims, c.spooled = false, true, h.Spooled
	c.durable = c.durable || !h.Spooled
	return nil
}

// dropExcept punches out everything that is not in keep.
// LOCKS_REQUIRED(c.mu)
func (c *clean) dropExcept(keep ranges) error {
	if len(keep) == len(c.held) || c.busy != nil && c.busy(inFlightTime) {
		return nil
	}
	for _, s := range slices.Clone(c.held) {
		if keep.covers(s) || c.inUse(s) {
			continue
		}
		if err := c.punch(s); err != nil && !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	return nil
}

// punch frees the space of s, after it has made sure that no header claims these bytes. If the disk
// does not support it, it is not tried again.
// LOCKS_REQUIRED(c.mu)
func (c *clean) punch(s span) error {
	if err := c.disclaim(); err != nil {
		return err
	}
	c.held.remove(s)
	c.changed = true
	c.punched++
	c.edited()
	if err := c.file.PunchHole(dataStart+s.off, s.len()); err != nil {
		if errors.Is(err, errors.ErrUnsupported) {
			c.set.noHoles.Store(true)
		}
		return err
	}
	c.bytes -= s.len()
	c.set.s.quota.release(stateClean, s.len())
	return nil
}

// disclaim makes sure that no header claims bytes that are about to be punched out.
// LOCKS_REQUIRED(c.mu)
func (c *clean) disclaim() error {
	if !c.claims {
		return nil
	}
	h := c.header(nil)
	h.Spooled = false // "nothing is held" is always true
	c.slots.synced = [2]bool{}
	for range 2 {
		if err := c.slots.write(c.file, h); err != nil {
			return err
		}
	}
	if c.durable {
		if err := c.file.Sync(); err != nil {
			return err
		}
	}
	c.claims, c.durable, c.changed, c.spooled = false, false, true, true
	return nil
}

// punchGaps frees bytes that an earlier process wrote and no header claims. It returns the size of
// the copy in the quota.
func (cs *copySet) punchGaps(f disk.File, held ranges) int64 {
	size, err := f.Size()
	if err != nil {
		return dataStart + held.total()
	}
	for at := (span{0, size - dataStart}); at.len() > 0; {
		gap, any := held.missing(at)
		if !any {
			break
		}
		if f.PunchHole(dataStart+gap.off, gap.len()) != nil {
			return max(size, dataStart+held.total())
		}
		at.off = gap.end
	}
	return dataStart + held.total()
}
