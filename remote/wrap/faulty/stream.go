package faulty

import (
	"io"
	"time"

	"ferry/remote"
)

// A reader breaks off after some bytes.
type reader struct {
	r     *Remote
	f     *Fault
	op    Op // Read or Put
	name  string
	left  int64
	inner io.ReadCloser
	err   error // what every Read returns once it broke off
}

func (r *reader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	if r.f.Slow {
		time.Sleep(r.f.Delay)
		return r.inner.Read(p)
	}
	if r.left == 0 {
		r.err = r.r.fault(r.f, r.op, r.name)
		return 0, r.err
	}
	n, err := r.inner.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	if err == io.EOF { // it was shorter than what goes well
		r.left = 0
		return n, nil
	}
	return n, err
}

func (r *reader) Close() error { return r.inner.Close() }

// Described implements remote.Described.
func (r *reader) Described() (remote.Entry, bool) { return remote.Describe(r.inner) }

// A stage is one whose calls can go wrong.
type stage struct {
	remote.Stage
	r     *Remote
	name  string
	write *Fault // nil = all writes go well
	left  int64  // bytes that do so

	content *capture // nil = not known
	sent    bool     // a Commit whose content is not known is under way: the stage is no longer the caller's
}

func (s *stage) Write(p []byte) (int, error) {
	n, err := s.pass(p)
	s.content.add(p[:n])
	return n, err
}

// pass writes p to the stage below, as far as the fault lets it.
func (s *stage) pass(p []byte) (int, error) {
	switch {
	case s.write == nil:
		return s.Stage.Write(p)
	case s.write.Slow:
		time.Sleep(s.write.Delay)
		return s.Stage.Write(p)
	case int64(len(p)) <= s.left:
		n, err := s.Stage.Write(p)
		s.left -= int64(n)
		return n, err
	}
	n, err := s.Stage.Write(p[:s.left])
	s.left -= int64(n)
	if err == nil {
		err = s.r.fault(s.write, Write, s.name)
	}
	return n, err
}

// ReadFrom takes the short way of the stage below, if it has one and no fault is meant to be met.
func (s *stage) ReadFrom(src io.Reader) (int64, error) {
	if rf, ok := s.Stage.(io.ReaderFrom); ok && s.write == nil && s.content == nil {
		return rf.ReadFrom(src)
	}
	return io.Copy(struct{ io.Writer }{s}, src)
}

// Keep keeps the stage, unless the remote has been told to publish it.
func (s *stage) Keep() error {
	if s.sent {
		return nil
	}
	return s.Stage.Keep()
}

// Abort discards the stage, unless the remote has been told to publish it.
func (s *stage) Abort() error {
	if s.sent {
		return nil
	}
	return s.Stage.Abort()
}
