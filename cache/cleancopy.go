package cache

import (
	"errors"
	"io"
	"os"
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
	busy  func() bool // see idleCopy

	// guarded by copySet.mu
	handles  int
	outdated bool

	mu       sync.Mutex
	slots    slots
	held     ranges    // guarded by mu
	pinned   pins      // guarded by mu; what must not be punched out: it is being read or written
	bytes    int64     // guarded by mu; as counted by room
	lastUsed time.Time // guarded by mu; as the header says
	changed  bool      // guarded by mu; held is not what the newest header claims
	claims   bool      // guarded by mu; a header may claim bytes
	durable  bool      // guarded by mu; such a header may count after a loss of power
	spooled  bool      // guarded by mu; the newest header does not
	punched  int       // guarded by mu; how often bytes were punched out
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

// Missing returns the first of the n bytes from off on that are not there, and how many are missing without a gap; 0 when
// all are there.
func (h *Copy) Missing(off, n int64) (missingOff, missing int64) {
	h.c.mu.Lock()
	defer h.c.mu.Unlock()
	s, _ := h.c.held.missing(span{off, off + n})
	return s.off, s.len()
}

// ReadAt reads those bytes from off on that are there; there may be fewer than p has room for, or none. An error is one of
// the disk: then the copy is of no use any more.
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

// WriteAt puts p into the copy. Other copies, and other parts of this one, make room for it; it does not wait for room:
// where there is none it is ErrNoSpace, and p is not kept.
func (h *Copy) WriteAt(p []byte, off int64) error {
	c := h.c
	s := span{off, off + int64(len(p))}
	c.mu.Lock()
	if c.held.covers(s) {
		c.mu.Unlock()
		return nil
	}
	c.pinned.add(s)
	c.mu.Unlock()
	defer c.unpin(s)

	if err := c.set.takeRoom(s.len()); err != nil {
		return err
	}
	if err := c.write(p, off); err != nil {
		c.takeBack(s)
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	added := c.held.add(s)
	c.bytes += added
	c.changed = true
	c.set.s.room.give(stateClean, s.len()-added)
	return nil
}

// takeBack frees what a write that failed may have left.
func (c *clean) takeBack(s span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.held.overlaps(s) {
		_ = c.file.PunchHole(dataStart+s.off, s.len()) // what stays is freed with the file
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

// takeRoom counts n bytes that are about to be written to a copy, after others have made room for them.
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

// Sender returns what sends bytes of the copy to a connection. It is used by one goroutine, and closed before the Copy.
func (h *Copy) Sender() *Sender { return &Sender{c: h.c, copy: h} }

// A Sender hands bytes of a copy to a connection, on a real disk as an *os.File, so that the kernel moves them.
type Sender struct {
	c    *clean
	copy *Copy
	file io.ReadCloser // nil = none is open
	pos  int64         // of file
}

// Send copies those of the n bytes from off on to w that are there; there may be fewer, or none. fault is an error of the
// disk: then the copy is of no use any more. err is one of w.
func (s *Sender) Send(w io.Writer, off, n int64) (sent int64, fault, err error) {
	held, ok := s.c.pin(off, n)
	if !ok {
		return 0, nil, nil
	}
	defer s.c.unpin(held)
	if err := s.seek(off); err != nil {
		return 0, err, nil
	}
	sent, err = io.Copy(w, &io.LimitedReader{R: s.file, N: held.len()})
	s.pos += sent
	if sent == held.len() {
		return sent, nil, err
	}
	s.pos = -1 // it may have been read further than it was written
	var probe [1]byte
	if _, fault := s.copy.ReadAt(probe[:], off+sent); fault != nil {
		return sent, fault, nil
	}
	if err == nil {
		err = io.ErrShortWrite
	}
	return sent, nil, err
}

// seek makes the next byte of the file that of off.
func (s *Sender) seek(off int64) error {
	if s.file != nil && s.pos == off {
		return nil
	}
	if err := s.Close(); err != nil {
		return err
	}
	f, err := s.c.reader(off)
	s.file, s.pos = f, off
	return err
}

// reader opens the file once more, from off on.
func (c *clean) reader(off int64) (io.ReadCloser, error) {
	cs := c.set
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if c.outdated { // there is no name to open it by
		return io.NopCloser(io.NewSectionReader(c.file, dataStart+off, c.print.Size-off)), nil
	}
	f, err := cs.s.disk.OpenFile(c.key.path(), os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	return f.Reader(dataStart + off)
}

// Close ends the use.
func (s *Sender) Close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	return err
}
