package sftp

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/pkg/sftp"

	"ferry/remote"
	"ferry/remote/driver/internal/chunks"
	"ferry/remote/driver/internal/conns"
	"ferry/remote/driver/internal/staging"
)

// A stage is an upload under way: a hidden file beside its target.
type stage struct {
	staging.Stage
	// constant
	r    *Remote
	c    *conn // has file open
	old  *meta // the file that will be replaced, nil when there is none
	file *sftp.File
	w    *chunks.Writer

	whole bool // the hidden file is complete and closed; of Commit
}

// Stage implements remote.Stager.
func (r *Remote) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	if err := r.check(ctx, "stage", name); err != nil {
		return nil, err
	}
	if !o.Valid() {
		return nil, fail("stage", name, remote.ErrInvalid)
	}
	s, err := r.begin(ctx, name, o)
	if err != nil {
		return nil, fail("stage", name, err)
	}
	return s, nil
}

// begin opens a stage with what it begins with. When it fails, it leaves no hidden file.
func (r *Remote) begin(ctx context.Context, name string, o remote.StageOptions) (*stage, error) {
	if name == "." {
		return nil, remote.ErrIsDir
	}
	c, err := r.pool.Get(ctx)
	if err != nil {
		return nil, err
	}
	s := &stage{r: r, c: c}
	if err := s.open(ctx, name, o); err != nil {
		r.pool.Put(c)
		return nil, err
	}
	if s.old != nil && s.old.perms {
		if err := conns.Do(ctx, c, func() error { return s.file.Chmod(s.old.mode.Perm()) }); err != nil {
			return nil, errors.Join(err, s.Abort())
		}
	}
	return s, nil
}

// open opens the hidden file.
func (s *stage) open(ctx context.Context, name string, o remote.StageOptions) (err error) {
	if s.old, err = s.target(ctx, name); err != nil {
		return err
	}
	if s.old == nil && o.Base == remote.BaseFile {
		return remote.ErrNotExist
	}
	dir, b := remote.Split(name)
	t := staging.Target{Name: name, Base: s.r.o.Encoding.Encode(b)}
	err = s.r.parts.Open(ctx, &s.Stage, s, s.r.over(s.c, dir), t, o)
	return belowFile(ctx, s.c, s.r.path(name), err)
}

// target describes the file that the stage will replace, nil when there is none, and refuses what
// cannot be replaced. Of a link it describes what that leads to; the link is replaced.
func (s *stage) target(ctx context.Context, name string) (*meta, error) {
	m, err := s.r.find(ctx, s.c, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case m.mode.IsDir():
		return nil, remote.ErrIsDir
	case m.readOnly():
		return nil, remote.ErrPermission
	}
	return &m, nil
}

// Write implements io.Writer. An error may be that of an earlier Write.
func (s *stage) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if err != nil {
		err = fail("write", s.Name, s.r.full(s.c, err))
	}
	return n, err
}

// full returns ErrNoSpace in place of an unexplained failure to write if the server's disk is full.
func (r *Remote) full(c *conn, err error) error {
	if !unexplained(err) {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), conns.Patience)
	defer cancel()
	if u, usageErr := r.usage(ctx, c); usageErr == nil && u.Free < chunks.Size {
		return remote.ErrNoSpace
	}
	return err
}

// representable returns the time nearest to t that the protocol can express: 32 bits of seconds
// since 1970.
func representable(t time.Time) time.Time {
	const last = 1<<32 - 1
	return time.Unix(min(max(t.Unix(), 0), last), 0)
}
