package s3

import (
	"context"
	"io"
	"io/fs"
	"sync"
	"time"

	"ferry/remote"
)

// Stage implements remote.Stager. What is written is sent in parts while it comes. The first bytes
// of a published file are copied by the server, without coming here, when they are enough for a
// part.
func (r *Remote) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	at, err := r.begin(ctx, "stage", name)
	if err != nil {
		return nil, err
	}
	if !o.Valid() {
		return nil, fail("stage", name, remote.ErrInvalid)
	}
	if err := r.target(ctx, at); err != nil {
		return nil, r.explain(ctx, "stage", name, err)
	}
	s := &stage{name: name}
	s.u = &upload{r: r, at: at, options: r.putOptions(at, time.Time{})}
	s.u.fail = func(err error) error { return fail("write", name, r.translate(err)) }
	s.u.begin = func() (*multipart, error) { return s.startParts(ctx, o.Base == remote.BaseFile) }
	switch o.Base {
	case remote.BasePart:
		err = remote.ErrNotExist
	case remote.BaseFile:
		err = s.continueFile(ctx, o.Off)
	}
	if err != nil {
		_ = s.Abort() // it is empty as yet
		return nil, r.explain(ctx, "stage", name, err)
	}
	return s, nil
}

// Part implements remote.Stager. There are none.
func (r *Remote) Part(ctx context.Context, name, owner string) (remote.Entry, error) {
	return remote.Entry{}, r.noPart(ctx, "part", name, owner)
}

// DropPart implements remote.Stager.
func (r *Remote) DropPart(ctx context.Context, name, owner string) error {
	return r.noPart(ctx, "droppart", name, owner)
}

func (r *Remote) noPart(ctx context.Context, op, name, owner string) error {
	if _, err := r.begin(ctx, op, name); err != nil {
		return err
	}
	if !remote.ValidOwner(owner) {
		return fail(op, name, remote.ErrInvalid)
	}
	return fail(op, name, remote.ErrNotExist)
}

// A stage is an upload whose end comes from outside.
type stage struct {
	name string
	u    *upload // used by the one who writes and publishes

	mu    sync.Mutex
	ended bool       // guarded by mu
	parts *multipart // guarded by mu; that of u, for the one who discards
}

// startParts begins a multipart upload, unless the stage has ended.
func (s *stage) startParts(ctx context.Context, copies bool) (*multipart, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil, fs.ErrClosed
	}
	s.parts = s.u.r.startMultipart(ctx, s.u.at, s.u.options, copies)
	return s.parts, nil
}

func (s *stage) Write(p []byte) (int, error) {
	if s.isEnded() {
		return 0, fail("write", s.name, fs.ErrClosed)
	}
	return s.u.Write(p)
}

// ReadFrom implements io.ReaderFrom.
func (s *stage) ReadFrom(src io.Reader) (int64, error) {
	if s.isEnded() {
		return 0, fail("write", s.name, fs.ErrClosed)
	}
	return s.u.ReadFrom(src)
}

func (s *stage) isEnded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// Commit implements remote.Stage.
func (s *stage) Commit(ctx context.Context, modTime time.Time) (remote.Entry, error) {
	if s.isEnded() {
		return remote.Entry{}, nil
	}
	r, u := s.u.r, s.u
	if ctx.Err() != nil {
		return remote.Entry{}, fail("publish", s.name, context.Cause(ctx))
	}
	u.modTime = modTime
	finishing, release := remote.Committed(ctx) // the time belongs to what is published
	defer release()
	info, err := u.finish(ctx)
	if err != nil {
		return remote.Entry{}, r.explain(ctx, "publish", s.name, err)
	}
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	u.buf = nil
	if u.parts != nil && !modTime.IsZero() { // the time was not known when the parts began
		if err := r.SetModTime(finishing, s.name, modTime); err != nil {
			return remote.Entry{}, err
		}
	}
	_, base := remote.Split(s.name)
	return remote.Entry{Name: base, Size: u.taken, ModTime: modTime, Version: info.ETag}, nil
}

// Keep implements remote.Stage: nothing is kept.
func (s *stage) Keep() error { return s.Abort() }

// Abort implements remote.Stage. It does not wait for a Write under way, which fails soon.
func (s *stage) Abort() error {
	s.mu.Lock()
	parts, ended := s.parts, s.ended
	s.ended = true
	s.mu.Unlock()
	if ended || parts == nil {
		return nil
	}
	return fail("discard", s.name, parts.abort())
}
