package retry

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"ferry/remote"
)

// Put implements remote.Remote. It is repeated when body can be read again: it is an io.Seeker, or
// nothing of it has been read. An error of body itself is never repeated.
func (r *Remote) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	return r.put(ctx, name, body, func(body io.Reader) (remote.Entry, error) { return r.Forward.Put(ctx, name, body, o) })
}

// put makes a call with body, and repeats it.
func (r *Remote) put(ctx context.Context, name string, body io.Reader, call func(io.Reader) (remote.Entry, error)) (e remote.Entry, err error) {
	src := newSource(body)
	var last error // of a Put that cannot be repeated
	err = r.repeat(ctx, "put", name, func(int) (err error) {
		e, err = call(src.attempt())
		src.end()
		if err != nil && !src.rewind() {
			last = err
			return nil
		}
		return err
	})
	if err == nil {
		err = last
	}
	if err != nil {
		return remote.Entry{}, err
	}
	return e, nil
}

var errEnded = errors.New("the body was read after the end of its Put")

// A source is a body that several attempts read, one after the other. A remote may go on reading
// for a moment after its Put has returned: such a Read must not take from what belongs to the next
// attempt.
type source struct {
	body   io.Reader
	seeker io.Seeker // nil when body is none
	start  int64     // where body began

	mu      sync.Mutex
	current *attempt // guarded by mu; nil between two
	busy    bool     // guarded by mu; a Read of body is under way
	moved   bool     // guarded by mu; something was read since the start
	failed  bool     // guarded by mu; body reported an error of its own
}

func newSource(body io.Reader) *source {
	src := &source{body: body}
	if s, ok := body.(io.Seeker); ok {
		if start, err := s.Seek(0, io.SeekCurrent); err == nil {
			src.seeker, src.start = s, start
		}
	}
	return src
}

// An attempt is the body as one Put sees it.
type attempt struct{ s *source }

func (s *source) attempt() *attempt {
	a := &attempt{s}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = a
	return a
}

func (a *attempt) Read(p []byte) (int, error) {
	s := a.s
	s.mu.Lock()
	if s.current != a {
		s.mu.Unlock()
		return 0, errEnded
	}
	s.busy = true
	s.mu.Unlock()
	n, err := s.body.Read(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = false
	s.moved = s.moved || n > 0
	s.failed = s.failed || err != nil && err != io.EOF
	return n, err
}

// end ends the attempt.
func (s *source) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = nil
}

// rewind puts body back to where it began and reports whether it is there.
func (s *source) rewind() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.busy, s.failed, s.moved && s.seeker == nil:
		return false
	case !s.moved:
		return true
	}
	s.moved = false
	_, err := s.seeker.Seek(s.start, io.SeekStart)
	return err == nil
}

// Stage implements remote.Stager. Beginning with nothing or with the published file is repeated;
// taking over a part is not, as the call before may have taken it away. Of the stage, only Commit
// is repeated: until it succeeds, the stage stays as it is.
func (r *Remote) Stage(ctx context.Context, name string, o remote.StageOptions) (s remote.Stage, err error) {
	if o.Base == remote.BasePart {
		s, err = r.Forward.Stage(ctx, name, o)
	} else {
		err = r.repeat(ctx, "stage", name, func(int) (err error) {
			s, err = r.Forward.Stage(ctx, name, o)
			return err
		})
	}
	if err != nil {
		return nil, err
	}
	st := &stage{Stage: s, r: r, name: name, size: max(o.Off, 0), sized: o.Off != remote.AtEnd}
	if from, able := s.(io.ReaderFrom); able {
		return &stageFrom{st, from}, nil
	}
	return st, nil
}

type stage struct {
	remote.Stage
	r     *Remote
	name  string
	size  int64 // of what was written, with the base
	sized bool  // size is known
}

// Write implements io.Writer.
func (s *stage) Write(p []byte) (int, error) {
	n, err := s.Stage.Write(p)
	s.size += int64(n)
	return n, err
}

// stageFrom is the stage over one that is an io.ReaderFrom.
type stageFrom struct {
	*stage
	from io.ReaderFrom
}

// ReadFrom implements io.ReaderFrom.
func (s *stageFrom) ReadFrom(src io.Reader) (int64, error) {
	n, err := s.from.ReadFrom(src)
	s.size += n
	return n, err
}

// Commit implements remote.Stage. When a repetition finds the stage gone, the call before, whose
// answer was lost, may have published it: then a file of its size and time is there. Otherwise the
// error is that of the call before: that the name does not exist is not what has happened.
func (s *stage) Commit(ctx context.Context, modTime time.Time) (e remote.Entry, err error) {
	ctx, doubt := doubting(ctx)
	var lost error
	err = s.r.repeat(ctx, "publish", s.name, func(before int) (err error) {
		e, err = s.Stage.Commit(ctx, modTime)
		if before > 0 && errors.Is(err, remote.ErrNotExist) {
			if there, ok := s.published(ctx, modTime); doubt.Load() && ok {
				e, lost = there, nil
				_ = s.Abort() // it holds nothing any more but what belongs to the stage
			}
			return nil
		}
		if before > 0 && doubt.Load() && (errors.Is(err, remote.ErrExist) || errors.Is(err, remote.ErrChanged)) {
			return unsure("publish", s.name, lost, nil) // a stage with a precondition: it may be its own file
		}
		lost = err
		return err
	})
	if err == nil {
		err = lost
	}
	return e, err
}

// published reports whether the file of the stage's name may be what it has published, and
// describes it.
func (s *stage) published(ctx context.Context, modTime time.Time) (remote.Entry, bool) {
	e, err := s.r.Stat(ctx, s.name)
	if err != nil || e.Dir || !s.sized || e.Size != s.size {
		return remote.Entry{}, false
	}
	precision := s.r.Info().Caps.ModTime
	known := precision > 0 && !modTime.IsZero() && !e.ModTime.IsZero()
	if known && e.ModTime.Sub(modTime).Abs() >= precision {
		return remote.Entry{}, false
	}
	return e, true
}
