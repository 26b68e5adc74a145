package limit

import (
	"context"
	"errors"
	"io"
	"io/fs"

	"ferry/remote"
	"ferry/remote/wrap/intercept"
)

// limitStage limits what is written to the stage of c. A Write that waits for its bandwidth or a
// connection fails when ctx ends, or the stage does.
func (r *Remote) limitStage(ctx context.Context, c *intercept.Call) {
	ctx, stop := context.WithCancelCause(ctx)
	c.State = stop
	s := &stage{Stage: c.Stage, r: r, name: c.Name, take: func() error { return r.takeLong(ctx) }}
	s.w = writeFunc(s.write)
	s.source = func(src io.Reader) io.Reader { return src }
	if r.o.Bandwidth != nil {
		s.w = r.slowWriter(ctx, s.w, up)
		s.source = func(src io.Reader) io.Reader { return r.slow(ctx, src, up) }
	}
	if from, able := c.Stage.(io.ReaderFrom); able {
		c.Stage = &stageFrom{s, from}
	} else {
		c.Stage = s
	}
}

// A stage is one that has a connection while it is written to.
type stage struct {
	remote.Stage
	r      *Remote
	name   string
	take   func() error // waits for a connection
	w      io.Writer    // write as fast as the limit allows
	source func(io.Reader) io.Reader
}

func (s *stage) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if err != nil && !errors.As(err, new(*fs.PathError)) { // it did not come from the remote
		err = refused("write", s.name, err)
	}
	return n, err
}

// write writes a piece.
func (s *stage) write(p []byte) (n int, err error) {
	if err := s.take(); err != nil {
		return 0, err
	}
	defer s.r.leaveLong()
	return s.Stage.Write(p)
}

// stageFrom is the stage over one that is an io.ReaderFrom.
type stageFrom struct {
	*stage
	from io.ReaderFrom
}

// ReadFrom implements io.ReaderFrom. With a limit of bandwidth the bytes pass through memory, as
// they are counted.
func (s *stageFrom) ReadFrom(src io.Reader) (n int64, err error) {
	if err := s.take(); err != nil {
		return 0, refused("write", s.name, err)
	}
	defer s.r.leaveLong()
	return s.from.ReadFrom(s.source(src))
}
