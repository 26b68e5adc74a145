package memory

import (
	"context"
	"io"
	"io/fs"
	"sync"
	"time"

	"ferry/remote"
)

// Stage implements remote.Stager.
func (r *Remote) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	if err := check(ctx, "stage", name); err != nil {
		return nil, err
	}
	if !o.Valid() {
		return nil, remote.Fail("stage", name, remote.ErrInvalid)
	}
	if name == "." {
		return nil, remote.Fail("stage", name, remote.ErrIsDir)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	dir, base, err := r.parent(name)
	if err == nil {
		err = dir.mayReplace(base)
	}
	if err != nil {
		return nil, remote.Fail("stage", name, err)
	}
	s := &stage{r: r, dir: dir, name: name, key: partKey{base, o.Owner}, only: o.Precondition}
	if err := s.begin(o); err != nil {
		return nil, remote.Fail("stage", name, err)
	}
	return s, nil
}

// Part implements remote.Stager.
func (r *Remote) Part(ctx context.Context, name, owner string) (remote.Entry, error) {
	var e remote.Entry
	err := r.withPart(ctx, "part", name, owner, func(dir *node, key partKey, p part) { e = p.entry(key) })
	return e, err
}

// DropPart implements remote.Stager.
func (r *Remote) DropPart(ctx context.Context, name, owner string) error {
	return r.withPart(ctx, "droppart", name, owner, func(dir *node, key partKey, p part) { delete(dir.parts, key) })
}

// OpenPart implements remote.PartReader.
func (r *Remote) OpenPart(ctx context.Context, name, owner string, off, n int64) (io.ReadCloser, error) {
	if off < 0 {
		return nil, remote.Fail("openpart", name, remote.ErrInvalid)
	}
	var opened *reader
	err := r.withPart(ctx, "openpart", name, owner, func(_ *node, key partKey, p part) {
		opened = newReader(ctx, p.data, off, n, p.entry(key))
	})
	if err != nil {
		return nil, err
	}
	return opened, nil
}

// withPart calls use with the part of name that owner left, holding r.mu.
func (r *Remote) withPart(ctx context.Context, op, name, owner string, use func(*node, partKey, part)) error {
	if err := check(ctx, op, name); err != nil {
		return err
	}
	if !remote.ValidOwner(owner) {
		return remote.Fail(op, name, remote.ErrInvalid)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	dir, base, err := r.parent(name)
	if err != nil {
		return remote.Fail(op, name, err)
	}
	key := partKey{base, owner}
	p, ok := dir.parts[key]
	if !ok {
		return remote.Fail(op, name, remote.ErrNotExist)
	}
	use(dir, key, p)
	return nil
}

// A stage is an upload under way. Lock order: stage.mu before Remote.mu.
type stage struct {
	r    *Remote
	dir  *node
	name string
	key  partKey
	only func() (version string, failed error, ok bool) // what may be replaced

	mu    sync.Mutex
	data  []byte // guarded by mu
	ended bool   // guarded by mu
}

// begin takes over the base. A base is cut off with its capacity, so that appending copies it.
// LOCKS_REQUIRED(s.r.mu)
func (s *stage) begin(o remote.StageOptions) error {
	var base []byte
	switch o.Base {
	case remote.BaseFile:
		file := s.dir.entries[s.key.name]
		if file == nil {
			return remote.ErrNotExist
		}
		base = file.data
	case remote.BasePart:
		p, ok := s.dir.parts[partKey{s.key.name, o.PartOwner()}]
		if !ok {
			return remote.ErrNotExist
		}
		if _, err := o.PartOffset(int64(len(p.data))); err != nil {
			return err
		}
		base = p.data
	}
	off := o.Off
	if off == remote.AtEnd {
		off = int64(len(base))
	}
	if off > int64(len(base)) {
		return remote.ErrInvalid
	}
	s.data = base[:off:off]
	if o.Base == remote.BasePart {
		delete(s.dir.parts, partKey{s.key.name, o.PartOwner()})
	}
	return nil
}

func (s *stage) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return 0, remote.Fail("write", s.name, fs.ErrClosed)
	}
	s.data = append(s.data, p...)
	return len(p), nil
}

func (s *stage) Commit(ctx context.Context, modTime time.Time) (remote.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return remote.Entry{}, nil
	}
	if err := check(ctx, "publish", s.name); err != nil {
		return remote.Entry{}, err
	}
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	if version, failed, ok := s.only(); ok && !s.dir.gone && !s.dir.holds(s.key.name, version) {
		return remote.Entry{}, remote.Fail("publish", s.name, failed)
	}
	e, err := s.r.publish(s.dir, s.key.name, s.data, modTime)
	if err != nil {
		return remote.Entry{}, remote.Fail("publish", s.name, err)
	}
	delete(s.dir.parts, s.key)
	s.ended = true
	return e, nil
}

func (s *stage) Keep() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil
	}
	s.ended = true
	if len(s.data) == 0 {
		return nil
	}
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	if s.dir.gone {
		return remote.Fail("keep", s.name, remote.ErrNotExist)
	}
	s.dir.parts[s.key] = part{id: s.r.next(), data: s.data, modTime: time.Now()}
	return nil
}

func (s *stage) Abort() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	return nil
}
