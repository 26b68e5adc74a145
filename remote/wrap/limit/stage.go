package limit

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"time"

	"ferry/remote"
)

// Stage implements remote.Stager. A Write that waits for its bandwidth or a connection fails when
// ctx ends, or the stage does.
func (r *Remote) Stage(ctx context.Context, name string, o remote.StageOptions) (inner remote.Stage, err error) {
	err = r.call(ctx, "stage", name, func() (err error) {
		inner, err = r.Forward.Stage(ctx, name, o)
		return err
	})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancelCause(ctx)
	inner = remote.TapStage(inner, func(int64, error) {}, func(op string, _ time.Duration, err error) {
		if op != "publish" || err == nil { // it has ended
			stop(fs.ErrClosed)
		}
	})
	s := &stage{Stage: inner, r: r, name: name, take: func() error { return r.takeLong(ctx) }}
	from, able := inner.(io.ReaderFrom)
	if r.o.Bandwidth == nil {
		if able {
			return &stageFrom{s, from}, nil
		}
		return s, nil
	}
	slow := &slowStage{s, r.slowWriter(ctx, s, up)}
	if able {
		return &slowStageFrom{slow, from, func(src io.Reader) io.Reader { return r.slow(ctx, src, up) }}, nil
	}
	return slow, nil
}

// A stage is one that has a connection while it is written to, and whose Commit is a call of its
// own.
type stage struct {
	remote.Stage
	r    *Remote
	name string
	take func() error // waits for a connection
}

func (s *stage) Write(p []byte) (n int, err error) {
	err = s.connected(func() error {
		n, err = s.Stage.Write(p)
		return err
	})
	return n, err
}

// connected makes a call that writes.
func (s *stage) connected(write func() error) error {
	if err := s.take(); err != nil {
		return &fs.PathError{Op: "write", Path: s.name, Err: err}
	}
	defer s.r.leaveLong()
	return write()
}

// Commit implements remote.Stage.
func (s *stage) Commit(ctx context.Context, modTime time.Time) (remote.Entry, error) {
	if err := s.r.enterLong(ctx, "publish", s.name); err != nil {
		return remote.Entry{}, err
	}
	defer s.r.leaveLong()
	return s.Stage.Commit(ctx, modTime)
}

// stageFrom is the stage over one that is an io.ReaderFrom.
type stageFrom struct {
	*stage
	from io.ReaderFrom
}

// ReadFrom implements io.ReaderFrom.
func (s *stageFrom) ReadFrom(src io.Reader) (n int64, err error) {
	err = s.connected(func() error {
		n, err = s.from.ReadFrom(src)
		return err
	})
	return n, err
}

// slowStage is the stage with a limit of bandwidth.
type slowStage struct {
	*stage
	slow io.Writer
}

func (s *slowStage) Write(p []byte) (int, error) {
	n, err := s.slow.Write(p)
	if err != nil && !errors.As(err, new(*fs.PathError)) { // it did not come from the remote
		err = &fs.PathError{Op: "write", Path: s.name, Err: err}
	}
	return n, err
}

// slowStageFrom is the same over one that is an io.ReaderFrom.
type slowStageFrom struct {
	*slowStage
	from   io.ReaderFrom
	source func(io.Reader) io.Reader
}

// ReadFrom implements io.ReaderFrom. The bytes pass through memory, as they are counted.
func (s *slowStageFrom) ReadFrom(src io.Reader) (n int64, err error) {
	err = s.connected(func() error {
		n, err = s.from.ReadFrom(s.source(src))
		return err
	})
	return n, err
}
