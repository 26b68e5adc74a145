package cache

import (
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"ferry/disk"
)

// clean is a copy in use: the bytes of one version of a file, as many of them as have come.
type clean struct {
	// constant
	set   *copySet
	key   copyKey
	name  string
	print Fingerprint
	file  disk.File
	busy  func(within time.Duration) bool // see idleCopy

	// guarded by copySet.mu
	handles  int
	outdated bool

	mu       sync.Mutex
	slots    slots
	held     ranges    // guarded by mu
	pinned   pins      // guarded by mu; what must not be punched out: it is being read or written, or on its way
	lent     lent      // guarded by mu; what must not be punched out either, for a while
	bytes    int64     // guarded by mu; as counted by room
	lastUsed time.Time // guarded by mu; as the header says
	changed  bool      // guarded by mu; held is not what the newest header claims
	claims   bool      // guarded by mu; a header may claim bytes
	durable  bool      // guarded by mu; such a header may count after a loss of power
	spooled  bool      // guarded by mu; the newest header does not
	punched  int       // guarded by mu; how often bytes were punched out
	edits    int       // guarded by mu; how often bytes came or were punched out
	verified bool      // guarded by mu; all of it had the right checksum after the last of those
	closed   bool      // guarded by mu; the last handle has gone
}

func (c *clean) total() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.held.total()
}

// pins are bytes in use, each as often as it is.
type pins []span

func (p *pins) add(s span) { *p = append(*p, s) }

func (p *pins) remove(s span) {
	if i := slices.Index(*p, s); i >= 0 {
		*p = slices.Delete(*p, i, i+1)
	}
}

func (p pins) overlaps(s span) bool {
	return slices.ContainsFunc(p, func(in span) bool { return in.off < s.end && s.off < in.end })
}

// A Copy is a handle on the copy of one version of a file. It may be used by several goroutines.
type Copy struct {
	c    *clean
	once sync.Once
}

// Close ends the use. The copy stays until room is needed for something else.
func (h *Copy) Close() (err error) {
	h.once.Do(func() { err = h.c.set.release(h.c) })
	return err
}

// Held returns how many bytes from off on are there without a gap. They may go at any time.
func (h *Copy) Held(off int64) int64 {
	h.c.mu.Lock()
	defer h.c.mu.Unlock()
	return h.c.held.run(off)
}

// Missing returns the first of the n bytes from off on that are not there, and how many are missing
// without a gap; 0 when all are there.
func (h *Copy) Missing(off, n int64) (missingOff, missing int64) {
	h.c.mu.Lock()
	defer h.c.mu.Unlock()
	s, _ := h.c.held.missing(span{off, off + n})
	return s.off, s.len()
}

// ReadAt reads those bytes from off on that are there; there may be fewer than p has room for, or
// none. An error is one of the disk: then the copy is of no use any more.
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

// pin keeps the bytes that are there of the n from off on from being punched out.
func (c *clean) pin(off, n int64) (span, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := span{off, off + min(n, c.held.run(off))}
	if s.len() <= 0 {
		return s, false
	}
	c.pinned.add(s)
	return s, true
}

func (c *clean) unpin(s span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pinned.remove(s)
}

// WriteAt puts p into the copy. Other copies, and other parts of this one, make room for it; it
// does not wait for room: where there is none it is ErrNoSpace, and p is not kept.
func (h *Copy) WriteAt(p []byte, off int64) error {
	c := h.c
	s := span{off, off + int64(len(p))}
	c.mu.Lock()
	if c.held.covers(s) {
		c.mu.Unlock()
		return nil
	}
	c.pinned.add(s) // nobody else may punch it out while it is written
	c.mu.Unlock()

	if err := c.set.takeRoom(s.len()); err != nil {
		c.unpin(s)
		return err
	}
	if err := c.write(p, off); err != nil {
		c.takeBack(s)
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pinned.remove(s)
	added := c.held.add(s)
	c.bytes += added
	c.changed = true
	c.edited()
	c.set.s.room.give(stateClean, s.len()-added)
	return nil
}

// takeBack ends a write that failed, and frees what it may have left: not what others have written,
// or are writing.
func (c *clean) takeBack(s span) {
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
		_ = c.file.PunchHole(dataStart+gap.off, gap.len()) // what stays is freed with the file
		rest.off = gap.end
	}
	c.set.s.room.give(stateClean, s.len())
}

// write writes p to the file. Where the disk is full, it evicts and tries once more.
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

// takeRoom counts n bytes that are about to be written to a copy, after others have made room for
// them.
func (cs *copySet) takeRoom(n int64) error {
	for {
		lack, err := cs.s.room.tryTake(stateClean, n)
		if err != nil || lack <= 0 {
			return err
		}
		if cs.evict(lack) == 0 {
			return ErrNoSpace
		}
	}
}
