package local

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"ferry/remote"
	"ferry/remote/partname"
)

// A stage is an upload under way: a hidden file beside its target.
// Lock order: stage.mu, Remote.kept, uploads.mu.
type stage struct {
	// constant
	r     *Remote
	name  string // in the remote
	in    string // the directory, when the stage began
	base  string // the last element of name
	owner string
	part  string // the hidden file in dir
	dir   dir
	file  *os.File
	path  string // of the hidden file; guarded by r.uploads.mu

	size atomic.Int64
	room int64 // how much may be written until the next look at what is free; of the goroutine that writes

	mu    sync.Mutex
	ended bool // guarded by mu
}

// Stage implements remote.Stager.
func (r *Remote) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	if err := check(ctx, "stage", name); err != nil {
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

// begin opens a stage with what it begins with.
func (r *Remote) begin(ctx context.Context, name string, o remote.StageOptions) (*stage, error) {
	if name == "." {
		return nil, remote.ErrIsDir
	}
	in, base := remote.Split(name)
	d, err := r.tree.dir(in)
	if err != nil {
		return nil, err
	}
	s := &stage{r: r, name: name, in: in, base: base, owner: o.Owner, dir: d}
	if err := s.look(); err != nil {
		d.close()
		return nil, err
	}
	if err := s.open(ctx, o); err != nil {
		d.close()
		return nil, err
	}
	return s, nil
}

// open makes the hidden file. When it fails, it leaves none.
func (s *stage) open(ctx context.Context, o remote.StageOptions) error {
	old, err := s.target()
	if err != nil {
		return err
	}
	perm := s.r.o.FilePerm
	if old != nil {
		perm = old.perm
	}
	switch o.Base {
	case remote.BaseFile:
		err = s.onFile(ctx, o.Off, perm)
	case remote.BasePart:
		err = s.onPart(ctx, o, perm)
	default:
		err = s.r.createPart(s, perm)
	}
	if err != nil || old == nil {
		return err
	}
	s.r.self.giveTo(s.file, old)
	if keepsModes {
		if err := s.file.Chmod(old.perm); err != nil {
			return errors.Join(err, s.abandon())
		}
	}
	return nil
}

// target describes the file that the stage will replace, nil when there is none, and refuses what
// cannot be replaced. Of a link it describes what that leads to.
func (s *stage) target() (*meta, error) {
	m, err := s.dir.lstat(s.base)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = s.r.replaceable(s.dir, s.base, &m)
	}
	if err != nil {
		return nil, err
	}
	if m.kind != link {
		return &m, nil
	}
	m, err = s.r.tree.stat(s.name)
	switch {
	case err != nil: // it leads nowhere
		return nil, nil
	case m.kind == directory:
		return nil, remote.ErrIsDir
	}
	return &m, nil
}

// Write implements io.Writer.
func (s *stage) Write(p []byte) (int, error) {
	if err := s.reserve(int64(len(p))); err != nil {
		return 0, fail("write", s.name, err)
	}
	n, err := s.file.Write(p)
	s.size.Add(int64(n))
	if err != nil {
		err = fail("write", s.name, err)
	}
	return n, err
}

// ReadFrom implements io.ReaderFrom. It passes src on to os.File.ReadFrom as it is, which splices
// from a connection and has the file system copy from a file.
func (s *stage) ReadFrom(src io.Reader) (int64, error) {
	if s.r.o.MinFree > 0 {
		return s.readWithin(src)
	}
	return s.readAll(src)
}

func (s *stage) readAll(src io.Reader) (int64, error) {
	n, err := s.file.ReadFrom(src)
	s.size.Add(n)
	return n, err
}

// Commit implements remote.Stage. Of the entry it knows what it need not ask for: name and size,
// and the modification time if it was given.
func (s *stage) Commit(ctx context.Context, modTime time.Time) (remote.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return remote.Entry{}, nil
	}
	if ctx.Err() != nil {
		return remote.Entry{}, fail("publish", s.name, context.Cause(ctx))
	}
	if err := s.publish(modTime); err != nil {
		return remote.Entry{}, fail("publish", s.name, err)
	}
	return remote.Entry{Name: s.base, Size: s.size.Load(), ModTime: modTime}, nil
}

// LOCKS_REQUIRED(s.mu)
func (s *stage) publish(modTime time.Time) error {
	if s.r.syncFile != nil {
		if err := s.sync(modTime); err != nil && !errors.Is(err, fs.ErrClosed) {
			return errors.Join(err, s.discard())
		}
	}
	if err := s.file.Close(); err != nil && !errors.Is(err, fs.ErrClosed) {
		return err
	}
	if !modTime.IsZero() {
		if err := s.dir.chtimes(s.part, modTime); err != nil {
			return err
		}
	}
	if err := s.dir.rename(s.part, s.dir, s.base, true); err != nil {
		return err
	}
	// Mostly there is none. One that cannot be removed does not concern this upload.
	_ = s.dir.remove(partname.Name{Owner: s.owner, Base: s.base}.String())
	s.end()
	return nil
}

// Keep implements remote.Stage.
func (s *stage) Keep() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil
	}
	if err := s.file.Close(); err != nil && !errors.Is(err, fs.ErrClosed) {
		return fail("keep", s.name, errors.Join(err, s.discard()))
	}
	m, err := s.dir.lstat(s.part)
	if err == nil && m.size == 0 {
		return fail("keep", s.name, s.discard())
	}
	if err == nil {
		err = s.r.keep(s.dir, s.part, partname.Name{Owner: s.owner, Base: s.base})
	}
	s.end()
	return fail("keep", s.name, err)
}

// Abort implements remote.Stage.
func (s *stage) Abort() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil
	}
	return fail("discard", s.name, s.discard())
}

// LOCKS_REQUIRED(s.mu)
func (s *stage) discard() error {
	err := s.abandon()
	s.ended = true
	s.dir.close()
	return err
}

// abandon removes the hidden file.
func (s *stage) abandon() error {
	s.file.Close() // what it could report concerns what is thrown away
	err := s.dir.remove(s.part)
	s.r.uploads.release(s)
	return err
}

// end gives back what the stage holds. The hidden file has another name by now, or is gone.
// LOCKS_REQUIRED(s.mu)
func (s *stage) end() {
	s.ended = true
	s.r.uploads.release(s)
	s.dir.close()
}
