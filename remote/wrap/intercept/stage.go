package intercept

import (
	"context"
	"io"
	"sync/atomic"
	"time"

	"ferry/remote"
)

// Stage implements remote.Stager. The Interceptor is also around what ends the stage; Keep and
// Abort, which have no context, are called under that of Stage.
func (r *Remote) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	c := r.call(Stage, name)
	defer r.free(c)
	c.Upload = o
	err := r.run(ctx, c, func(ctx context.Context, c *Call) (err error) {
		c.Stage, err = c.below.Stage(ctx, c.Name, c.Upload)
		return err
	})
	if err != nil {
		return nil, err
	}
	s := &stage{Stage: c.Stage, r: r, name: name, state: c.State}
	s.run = func(c *Call, do func(context.Context, *Call) error) error { return r.run(ctx, c, do) }
	if from, ok := c.Stage.(io.ReaderFrom); ok {
		return &stageFrom{s, from}, nil
	}
	return s, nil
}

// A stage is one whose ends are calls.
type stage struct {
	remote.Stage
	r     *Remote
	name  string
	state any
	run   func(c *Call, do func(context.Context, *Call) error) error // under the context of Stage
	ended atomic.Bool
}

// stageFrom is the stage over one that is an io.ReaderFrom.
type stageFrom struct {
	*stage
	io.ReaderFrom
}

// UnwrapStage implements remote.WrappedStage.
func (s *stage) UnwrapStage() remote.Stage { return s.Stage }

func (s *stage) call(op Op) *Call {
	c := s.r.call(op, s.name)
	c.Stage, c.State = s.Stage, s.state
	return c
}

// Commit implements remote.Stage.
func (s *stage) Commit(ctx context.Context, modTime time.Time) (remote.Entry, error) {
	if s.ended.Load() {
		return s.Stage.Commit(ctx, modTime)
	}
	c := s.call(Commit)
	defer s.r.free(c)
	c.ModTime = modTime
	err := s.r.run(ctx, c, func(ctx context.Context, c *Call) (err error) {
		c.Entry, err = c.Stage.Commit(ctx, c.ModTime)
		return err
	})
	if err == nil {
		s.ended.Store(true)
	}
	return c.Entry, err
}

// Keep implements remote.Stage.
func (s *stage) Keep() error {
	if s.ended.Swap(true) {
		return s.Stage.Keep()
	}
	c := s.call(Keep)
	defer s.r.free(c)
	return s.run(c, func(_ context.Context, c *Call) error { return c.Stage.Keep() })
}

// Abort implements remote.Stage.
func (s *stage) Abort() error {
	if s.ended.Swap(true) {
		return s.Stage.Abort()
	}
	c := s.call(Abort)
	defer s.r.free(c)
	return s.run(c, func(_ context.Context, c *Call) error { return c.Stage.Abort() })
}
