package local

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"sync/atomic"

	"ferry/remote"
	"ferry/remote/driver/internal/staging"
)

// A stage is an upload under way: a hidden file beside its target.
type stage struct {
	staging.Stage
	// constant
	r    *Remote
	at   hiding      // the directory, open as long as the stage
	perm fs.FileMode // for a hidden file that is made
	file *os.File

	size atomic.Int64
	room int64 // how much may be written until the next look at what is free; of the goroutine that writes
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

// begin opens a stage with what it begins with. When it fails, it leaves no hidden file.
func (r *Remote) begin(ctx context.Context, name string, o remote.StageOptions) (*stage, error) {
	if name == "." {
		return nil, remote.ErrIsDir
	}
	in, base := remote.Split(name)
	d, err := r.tree.dir(in)
	if err != nil {
		return nil, err
	}
	s := &stage{r: r, at: hiding{r: r, dir: d, path: in}, perm: r.o.FilePerm}
	if version, failed, ok := o.Precondition(); ok {
		s.at.only = &precondition{name, base, version, failed}
	}
	old, err := s.open(ctx, name, base, o)
	if err != nil {
		d.close()
		return nil, err
	}
	if old != nil {
		if err := s.takeAfter(old); err != nil {
			return nil, errors.Join(err, s.Abort())
		}
	}
	return s, nil
}

// open opens the hidden file, and describes the file that the stage will replace, if there is one.
func (s *stage) open(ctx context.Context, name, base string, o remote.StageOptions) (*meta, error) {
	if err := s.look(); err != nil {
		return nil, err
	}
	old, err := s.target(name, base)
	if err != nil {
		return nil, err
	}
	if old != nil {
		s.perm = old.perm
	} else if o.Base == remote.BaseFile {
		if _, err := s.r.tree.stat(name); err != nil { // it says why
			return nil, err
		}
	}
	return old, s.r.parts.Open(ctx, &s.Stage, s, &s.at, staging.Target{Name: name, Base: base}, o)
}

// takeAfter gives the hidden file the owner and the permission bits of the file it will replace.
func (s *stage) takeAfter(old *meta) error {
	s.r.self.giveTo(s.file, old)
	if !keepsModes {
		return nil
	}
	return s.file.Chmod(old.perm)
}

// target describes the file that the stage will replace, nil when there is none, and refuses what
// cannot be replaced. Of a link it describes what that leads to.
func (s *stage) target(name, base string) (*meta, error) {
	m, err := unexplained(s.at.dir).lstat(base) // mostly there is none, and the hidden file is made next
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = s.r.replaceable(s.at.dir, base, &m)
	}
	if err != nil {
		return nil, err
	}
	if m.kind != link {
		return &m, nil
	}
	m, err = s.r.tree.stat(name)
	switch {
	case err != nil: // it leads nowhere
		return nil, nil
	case m.kind == directory:
		return nil, remote.ErrIsDir
	}
	return &m, nil
}

// Replaces implements remote.Replacing: where Stat walks to the directory, which is open here.
func (s *stage) Replaces(ctx context.Context) (remote.Entry, error) {
	var m meta
	err := fs.ErrClosed
	s.Use(func() { m, err = unexplained(s.at.dir).lstat(s.Base) })
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return remote.Entry{}, remote.ErrNotExist
	case err != nil, m.kind != regular:
		return s.r.Stat(ctx, s.Name)
	}
	return s.r.described(&m), nil
}

// Write implements io.Writer.
func (s *stage) Write(p []byte) (int, error) {
	if err := s.reserve(int64(len(p))); err != nil {
		return 0, fail("write", s.Name, err)
	}
	n, err := s.file.Write(p)
	s.size.Add(int64(n))
	if err != nil {
		err = fail("write", s.Name, err)
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

// readWithin is ReadFrom in pieces, each with a look at what is free before it.
func (s *stage) readWithin(src io.Reader) (total int64, err error) {
	for {
		if s.room <= 0 {
			if err := s.look(); err != nil {
				return total, s.endOf(src, err)
			}
		}
		n, err := s.readAll(io.LimitReader(src, s.room))
		total += n
		if err != nil || n < s.room {
			s.room -= n
			return total, err
		}
		s.room = 0
	}
}

// endOf returns full unless src has ended just here.
func (s *stage) endOf(src io.Reader, full error) error {
	var one [1]byte
	if _, err := io.ReadFull(src, one[:]); err == io.EOF {
		return nil
	}
	return fail("write", s.Name, full)
}

func (s *stage) readAll(src io.Reader) (int64, error) {
	n, err := s.file.ReadFrom(src)
	s.size.Add(n)
	return n, err
}
