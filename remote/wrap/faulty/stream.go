package faulty

import (
	"context"
	"io"
	"time"

	"ferry/remote"
)

// A reader breaks off after some bytes.
type reader struct {
	r     *Remote
	f     *Fault
	op    Op // "" = Read
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
		op := r.op
		if op == "" {
			op = Read
		}
		r.err = r.r.fault(r.f, op, r.name)
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

// Stage implements remote.Stager.
func (r *Remote) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	var inner remote.Stage
	err := r.call(ctx, Stage, name, func() (err error) {
		inner, err = r.Forward.Stage(ctx, name, o)
		return err
	})
	if err != nil {
		if inner != nil { // the fault was a late one
			_ = inner.Abort()
		}
		return nil, err
	}
	s := &stage{r: r, name: name, inner: inner, content: r.captured(ctx, name, o)}
	if s.write = r.pick(Write, name); s.write != nil {
		s.left = s.write.After
	}
	return s, nil
}

// A stage is one whose calls can go wrong.
type stage struct {
	r     *Remote
	name  string
	inner remote.Stage
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
		return s.inner.Write(p)
	case s.write.Slow:
		time.Sleep(s.write.Delay)
		return s.inner.Write(p)
	case int64(len(p)) <= s.left:
		n, err := s.inner.Write(p)
		s.left -= int64(n)
		return n, err
	}
	n, err := s.inner.Write(p[:s.left])
	s.left -= int64(n)
	if err == nil {
		err = s.r.fault(s.write, Write, s.name)
	}
	return n, err
}

// ReadFrom takes the short way of the stage below, if it has one and no fault is meant to be met.
func (s *stage) ReadFrom(src io.Reader) (int64, error) {
	if rf, ok := s.inner.(io.ReaderFrom); ok && s.write == nil && s.content == nil {
		return rf.ReadFrom(src)
	}
	return io.Copy(struct{ io.Writer }{s}, src)
}

func (s *stage) Commit(ctx context.Context, modTime time.Time) (e remote.Entry, err error) {
	f := s.r.pick(Commit, s.name)
	if f != nil && f.sends(Commit) {
		return s.sendPublish(ctx, f, modTime)
	}
	if f != nil {
		if err := f.wait(ctx, Commit, s.name); err != nil {
			return remote.Entry{}, err
		}
	}
	err = s.r.answer(ctx, f, Commit, s.name, func() (err error) {
		e, err = s.inner.Commit(ctx, modTime)
		return err
	})
	return valid(e, err), err
}

func (s *stage) Keep() error { return s.end(Keep, s.inner.Keep) }

func (s *stage) Abort() error { return s.end(Abort, s.inner.Abort) }

// end keeps or discards the stage, unless the remote has been told to publish it.
func (s *stage) end(op Op, inner func() error) error {
	return s.r.answer(context.Background(), s.r.pick(op, s.name), op, s.name, func() error {
		if s.sent {
			return nil
		}
		return inner()
	})
}
