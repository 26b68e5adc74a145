package limit

import (
	"context"
	"io"
	"io/fs"
	"time"

	"ferry/remote"
)

// Stage implements remote.Stager. A Write that waits for its bandwidth fails when ctx ends, or the stage does. Without a
// limit of bandwidth the stage is an io.ReaderFrom if the remote's own is.
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
	if r.o.Bandwidth != nil {
		return &slowStage{
			stage: s,
			piece: func(want int) int { return r.piece(up, want) },
			pay:   func(n int) error { return r.pay(ctx, up, n) },
		}, nil
	}
	if from, able := inner.(io.ReaderFrom); able {
		return &stageFrom{s, from}, nil
	}
	return s, nil
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
	piece func(want int) int
	pay   func(n int) error
}

func (s *slowStage) Write(p []byte) (total int, err error) {
	for {
		n, err := s.Stage.Write(p[:s.piece(len(p))])
		total += n
		if err != nil {
			return total, err
		}
		if err := s.pay(n); err != nil {
			return total, &fs.PathError{Op: "write", Path: s.name, Err: err}
		}
		if p = p[n:]; len(p) == 0 {
			return total, nil
		}
	}
}
