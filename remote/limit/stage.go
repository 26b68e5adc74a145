package limit

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"time"

	"ferry/remote"
)

// Stage implements remote.Stager. A Write that waits for its bandwidth fails when ctx ends, or the stage does.
func (r *Remote) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	if err := r.enter(ctx, "stage", name); err != nil {
		return nil, err
	}
	inner, err := r.Forward.Stage(ctx, name, o)
	if err != nil {
		r.leave()
		return nil, err
	}
	ctx, stop := context.WithCancelCause(ctx)
	inner = remote.TapStage(inner, func(int64, error) {}, func(op string, _ time.Duration, err error) {
		if op == "publish" && err != nil {
			return // it goes on
		}
		stop(fs.ErrClosed)
		r.leave()
	})
	s := &stage{Stage: inner, name: name, begin: r.begin}
	from, able := inner.(io.ReaderFrom)
	if r.o.Bandwidth == nil {
		if able {
			return &stageFrom{s, from}, nil
		}
		return s, nil
	}
	slow := &slowStage{s, r.slowWriter(ctx, inner, up)}
	if able {
		return &slowStageFrom{slow, from, func(src io.Reader) io.Reader { return r.slow(ctx, src, up) }}, nil
	}
	return slow, nil
}

// A stage is one whose Publish is a call of its own, with the connection of the stage.
type stage struct {
	remote.Stage
	name  string
	begin func(ctx context.Context) error
}

// Publish implements remote.Stage.
func (s *stage) Publish(ctx context.Context, modTime time.Time) (remote.Entry, error) {
	if err := s.begin(ctx); err != nil {
		return remote.Entry{}, &fs.PathError{Op: "publish", Path: s.name, Err: err}
	}
	return s.Stage.Publish(ctx, modTime)
}

// stageFrom is the stage over one that is an io.ReaderFrom.
type stageFrom struct {
	*stage
	io.ReaderFrom
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
func (s *slowStageFrom) ReadFrom(src io.Reader) (int64, error) { return s.from.ReadFrom(s.source(src)) }
