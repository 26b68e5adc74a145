package cache

import (
	"io"
	"os"
	"slices"
	"time"
)

const (
	// maxLent is more than the kernel keeps of a connection that does not take it.
	maxLent = 16 << 20
	// lentTime is how long the rest of a transfer may be under way after its end.
	lentTime = 10 * time.Minute
	// maxLents bounds the memory. When they are that many, they become one.
	maxLents = 64
)

// lends reports whether files are handed to connections: in a small cache what cannot be punched
// out would be too much.
func (cs *copySet) lends() bool { return cs.s.o.MaxSize <= 0 || cs.s.o.MaxSize >= 8*maxLent }

// lent are bytes that may still be on their way to a client.
type lent []lentSpan

type lentSpan struct {
	span
	until time.Time
}

func (l *lent) add(s span, now time.Time) {
	l.expire(now)
	if s.len() == 0 {
		return
	}
	until := now.Add(lentTime)
	if i := slices.IndexFunc(*l, func(in lentSpan) bool { return in.span == s }); i >= 0 {
		(*l)[i].until = until
		return
	}
	if len(*l) >= maxLents {
		for _, in := range *l {
			s = span{min(s.off, in.off), max(s.end, in.end)}
		}
		*l = nil
	}
	*l = append(*l, lentSpan{s, until})
}

func (l *lent) expire(now time.Time) {
	*l = slices.DeleteFunc(*l, func(in lentSpan) bool { return !in.until.After(now) })
}

func (l lent) overlaps(s span) bool {
	return slices.ContainsFunc(l, func(in lentSpan) bool { return in.off < s.end && s.off < in.end })
}

// inUse reports whether s must not be punched out.
// LOCKS_REQUIRED(c.mu)
func (c *clean) inUse(s span) bool {
	c.lent.expire(time.Now())
	return c.pinned.overlaps(s) || c.lent.overlaps(s)
}

// Sender returns what sends bytes of the copy to a connection. It is used by one goroutine, and
// closed before the Copy.
func (h *Copy) Sender() *Sender { return &Sender{c: h.c, copy: h, lends: h.c.set.lends()} }

// A Sender hands bytes of a copy to a connection, on a real disk as an *os.File, so that the kernel
// moves them. The kernel sends them from the pages of the file: what is punched out while it waits
// in the connection arrives as zeros. So bytes are pinned until so many have been sent behind them
// that they must have left, or for lentTime after the end.
type Sender struct {
	c     *clean
	copy  *Copy
	lends bool          // the connection gets the file itself
	file  io.ReadCloser // nil = none is open
	pos   int64         // of file
	sent  span          // what is pinned
}

// Send copies those of the n bytes from off on to w that are there; there may be fewer, or none.
// fault is an error of the disk: then the copy is of no use any more. err is one of w.
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
	if !s.lends {
		from = plain{s.file}
	}
	sent, err = io.Copy(w, &io.LimitedReader{R: from, N: held.len()})
	s.pos += sent
	s.lend(span{off, off + sent})
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
	if err := s.closeFile(); err != nil {
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

// lend keeps what was sent last from being punched out.
func (s *Sender) lend(sent span) {
	if !s.lends || sent.len() == 0 {
		return
	}
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if s.sent.end == sent.off {
		sent.off = max(s.sent.off, sent.end-maxLent)
	} else {
		s.c.lent.add(s.sent, time.Now())
	}
	s.c.pinned.remove(s.sent)
	s.c.pinned.add(sent)
	s.sent = sent
}

// Close ends the use.
func (s *Sender) Close() error {
	s.c.mu.Lock()
	s.c.lent.add(s.sent, time.Now())
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
