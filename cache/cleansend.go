package cache

import (
	"io"
	"os"
	"time"
)

// sendsFile reports whether files are handed to connections. In a small cache, the bytes in flight,
// which cannot be punched out, would take too much of it.
func (cs *copySet) sendsFile() bool { return cs.s.o.MaxSize <= 0 || cs.s.o.MaxSize >= 8*maxInFlight }

// Sender returns a Sender of the copy. It is used by one goroutine, and closed before the Copy.
func (h *Copy) Sender() *Sender { return &Sender{c: h.c, copy: h, sendsFile: h.c.set.sendsFile()} }

// A Sender copies bytes of a copy to a connection, on a real disk from an *os.File, so that the
// kernel moves them. The kernel sends them from the page cache of the file: bytes that are punched
// out while they are in the socket buffer arrive as zeros. So bytes stay pinned until maxInFlight
// more have been sent, or for inFlightTime after the end.
type Sender struct {
	c         *clean
	copy      *Copy
	sendsFile bool          // the connection reads from the file itself
	file      io.ReadCloser // nil = none is open
	pos       int64         // of file
	sent      span          // pinned
}

// Send copies the held bytes of the n from off on to w; it may send fewer than n, or none. fault is
// an error of the disk: the copy is unusable then. err is an error of w.
func (s *Sender) Send(w io.Writer, off, n int64) (sent int64, fault, err error) {
	held, ok := s.c.pin(off, n)
	if !ok {
		return 0, nil, nil
	}
	defer s.c.unpin(held)
	if err := s.seek(off); err != nil {
		return 0, err, nil
	}
	from := io.Reader(s.file)
	if !s.sendsFile {
		from = plain{s.file}
	}
	sent, err = io.Copy(w, &io.LimitedReader{R: from, N: held.len()})
	s.pos += sent
	s.keepInFlight(span{off, off + sent})
	if sent == held.len() {
		return sent, nil, err
	}
	s.pos = -1 // more may have been read than was written
	var probe [1]byte
	if _, fault := s.copy.ReadAt(probe[:], off+sent); fault != nil {
		return sent, fault, nil
	}
	if err == nil {
		err = io.ErrShortWrite
	}
	return sent, nil, err
}

// seek positions the file at off.
func (s *Sender) seek(off int64) error {
	if s.file != nil && s.pos == off {
		return nil
	}
	if err := s.closeFile(); err != nil {
		return err
	}
	f, err := s.c.reader(off)
	s.file, s.pos = f, off
	return err
}

// reader opens the file again, from off on.
func (c *clean) reader(off int64) (io.ReadCloser, error) {
	cs := c.set
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if c.outdated { // the file has no name any more
		return io.NopCloser(io.NewSectionReader(c.file, dataStart+off, c.fingerprint.Size-off)), nil
	}
	f, err := cs.s.disk.OpenFile(c.key.path(), os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	return f.Reader(dataStart + off)
}

// keepInFlight protects the bytes sent last against being punched out.
func (s *Sender) keepInFlight(sent span) {
	if !s.sendsFile || sent.len() == 0 {
		return
	}
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if s.sent.end == sent.off {
		sent.off = max(s.sent.off, sent.end-maxInFlight)
	} else {
		s.c.inFlight.add(s.sent, time.Now())
	}
	s.c.pinned.remove(s.sent)
	s.c.pinned.add(sent)
	s.sent = sent
}

// Close ends the use.
func (s *Sender) Close() error {
	s.c.mu.Lock()
	s.c.inFlight.add(s.sent, time.Now())
	s.c.pinned.remove(s.sent)
	s.c.mu.Unlock()
	s.sent = span{}
	return s.closeFile()
}

func (s *Sender) closeFile() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	return err
}
