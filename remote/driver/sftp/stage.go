package sftp

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/pkg/sftp"

	"ferry/remote"
	"ferry/remote/partname"
)

// A stage is an upload under way: a hidden file beside its target.
// Lock order: stage.mu, Remote.kept, uploads.mu.
type stage struct {
	// constant
	r     *Remote
	c     *conn  // has file open
	name  string // in the remote, when the stage began
	base  string // the last element of name
	held  string // base as the server writes it
	owner string
	file  *sftp.File
	w     *writer

	in   string // the directory; guarded by r.uploads.mu
	part string // the hidden file in it; constant once it is claimed

	mu    sync.Mutex
	ended bool // guarded by mu
	whole bool // the hidden file is complete and closed; guarded by mu
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
	c, err := r.pool.get(ctx)
	if err != nil {
		return nil, err
	}
	dir, b := remote.Split(name)
	s := &stage{r: r, c: c, name: name, in: dir, base: b, held: r.o.Encoding.Encode(b), owner: o.Owner}
	if err := s.open(ctx, o); err != nil {
		r.pool.put(c)
		return nil, err
	}
	return s, nil
}

// open makes the hidden file.
func (s *stage) open(ctx context.Context, o remote.StageOptions) error {
	old, err := s.target(ctx)
	if err != nil {
		return err
	}
	var off int64
	switch o.Base {
	case remote.BaseFile:
		off, err = s.onFile(ctx, old, o.Off)
	case remote.BasePart:
		off, err = s.onPart(ctx, o)
	default:
		err = s.r.createPart(ctx, s.c, s)
	}
	if err != nil {
		return belowFile(ctx, s.c, s.r.path(s.name), err)
	}
	if old != nil && old.perms {
		if err := do(ctx, s.c, func() error { return s.file.Chmod(old.mode.Perm()) }); err != nil {
			return errors.Join(err, s.abandon())
		}
	}
	if s.w == nil {
		s.w = s.writerAt(off)
	}
	return nil
}

func (s *stage) writerAt(off int64) *writer {
	return newWriter(s.file, off, max(s.r.o.Concurrency*packetSize/chunkSize, 1))
}

// target describes the file that the stage will replace, nil when there is none, and refuses what
// cannot be replaced. Of a link it describes what that leads to; the link is replaced.
func (s *stage) target(ctx context.Context) (*meta, error) {
	m, err := s.r.find(ctx, s.c, s.name)
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
		err = fail("write", s.name, s.r.full(s.c, err))
	}
	return n, err
}

// Keep implements remote.Stage. What the server has not confirmed is not kept.
func (s *stage) Keep() error {
	s.w.end()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_ = s.w.drain(ctx) // what has failed is cut off
	if ctx.Err() != nil {
		s.c.close() // so that nothing is under way any more
		s.w.under.Wait()
	}
	return fail("keep", s.name, s.keep())
}

// LOCKS_REQUIRED(s.mu)
func (s *stage) keep() error {
	defer s.end()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s.file.Close() // what it could report is that the connection is lost
	c, err := s.r.pool.get(ctx)
	if err != nil {
		return err
	}
	defer s.r.pool.put(c)
	dir, n := s.r.uploads.dir(s), s.w.written()
	p := s.r.partPath(dir, s.part)
	if n == 0 {
		return do(ctx, c, func() error { return c.sftp.Remove(p) })
	}
	info, err := lstat(ctx, c, p)
	if err == nil && info.Size() > n {
		err = do(ctx, c, func() error { return c.sftp.Truncate(p, n) })
	}
	if err != nil {
		return err
	}
	return s.r.keep(ctx, c, dir, p, partname.Name{Owner: s.owner, Base: s.held})
}

// Abort implements remote.Stage.
func (s *stage) Abort() error {
	s.w.end()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil
	}
	defer s.end()
	err := s.remove()
	if errors.Is(err, fs.ErrNotExist) { // a Commit that was not answered took it
		err = nil
	}
	return fail("discard", s.name, err)
}

// abandon removes the hidden file of a stage that has not begun.
func (s *stage) abandon() error {
	err := s.remove()
	s.r.uploads.release(s)
	return err
}

// remove removes the hidden file, through another connection where that of the stage is lost.
func (s *stage) remove() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	// Removed first: a chunk under way that comes later finds the open file.
	c, err := s.r.pool.get(ctx)
	if err != nil {
		return err
	}
	defer s.r.pool.put(c)
	p := s.r.partPath(s.r.uploads.dir(s), s.part)
	err = do(ctx, c, func() error { return c.sftp.Remove(p) })
	go s.file.Close()
	return err
}

// end gives back what the stage holds. The hidden file has another name by now, or is gone.
// LOCKS_REQUIRED(s.mu)
func (s *stage) end() {
	s.ended = true
	s.w.end()
	s.r.uploads.release(s)
	s.r.pool.put(s.c)
}

// full returns ErrNoSpace in place of an unexplained failure to write if the server's disk is full.
func (r *Remote) full(c *conn, err error) error {
	if !unexplained(err) {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if u, usageErr := r.usage(ctx, c); usageErr == nil && u.Free < chunkSize {
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

// reopen opens the hidden file that s has claimed, cut off at off.
func (s *stage) reopen(ctx context.Context, p string, off int64) error {
	f, err := await(ctx, s.c, func() (*sftp.File, error) {
		f, err := s.c.sftp.OpenFile(p, os.O_WRONLY)
		if err != nil {
			return nil, err
		}
		if err := f.Truncate(off); err != nil {
			f.Close()
			return nil, err
		}
		return f, nil
	}, func(f *sftp.File) { f.Close() })
	s.file = f
	return err
}
