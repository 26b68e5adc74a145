package crypt

import (
	"context"
	"io"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"ferry/remote"
	"ferry/remote/driver/crypt/cipher"
)

// A stager is a tree of encrypted files in a Stager.
type stager struct{ *Remote }

// Stage implements remote.Stager. What is continued is read, and encrypted anew.
func (r *stager) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	s, err := r.stage(ctx, name, o)
	if err != nil {
		return nil, remote.Renamed("stage", name, err)
	}
	return s, nil
}

func (r *stager) stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	p, err := r.fits(name)
	switch {
	case err != nil:
		return nil, err
	case !o.Valid():
		return nil, remote.ErrInvalid
	case o.Base == remote.BasePart && !r.keeps:
		return nil, remote.ErrNotExist
	}
	if err := r.free(ctx, name, p); err != nil {
		return nil, err
	}
	below, _ := remote.AsStager(r.below)
	if r.o.PlainData {
		inner, err := below.Stage(ctx, p.file, o)
		if err != nil {
			return nil, err
		}
		return &plainStage{inner, r.Remote, name, p}, nil
	}
	base, err := r.openBase(ctx, name, p, o)
	if err != nil {
		return nil, err
	}
	defer base.close()
	inner, err := below.Stage(ctx, p.file, belowOptions(o))
	if err != nil {
		return nil, err
	}
	s := &stage{
		r: r.Remote, name: name, at: p, below: inner, buf: r.buffers.Get().(*buffer),
		seal: seal{cipher: r.cipher, nonce: cipher.NewNonce()},
	}
	if err := base.copyTo(ctx, s); err != nil {
		_ = s.Abort() // nothing was written that anybody knows of
		return nil, err
	}
	return s, nil
}

// belowOptions are those of the stage below, which always begins with nothing: what a file has
// besides its content is taken over as for one that continues it.
func belowOptions(o remote.StageOptions) remote.StageOptions {
	below := remote.StageOptions{Owner: o.Owner, New: o.New, File: o.File}
	if o.Base == remote.BaseFile {
		below.Base = remote.BaseFile
	}
	return below
}

// A stage encrypts an upload in pieces.
type stage struct {
	r     *Remote
	name  string
	at    place
	below remote.Stage

	mu     sync.Mutex
	seal           // guarded by mu
	begun  bool    // guarded by mu; the header was written
	buf    *buffer // guarded by mu; nil after the end
	held   int     // guarded by mu; plain bytes in buf
	sealed bool    // guarded by mu; the last block was written
	err    error   // guarded by mu; of a write below

	ended atomic.Bool
}

// Write implements remote.Stage. Whole blocks are written as soon as they are whole.
func (s *stage) Write(p []byte) (written int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended.Load() || s.sealed {
		return 0, remote.Renamed("write", s.name, fs.ErrClosed)
	}
	for len(p) > 0 {
		n := min(len(p), cipher.BlockData-s.held)
		plain := p[:n]
		if n < cipher.BlockData {
			copy(s.buf.plain[s.held:], plain)
			s.held += n
			plain = s.buf.plain[:s.held]
		}
		if len(plain) == cipher.BlockData {
			s.held = 0
			if err := s.flush(plain); err != nil {
				return written, err
			}
		}
		written += n
		p = p[n:]
	}
	return written, nil
}

// flush writes a block, and before the first one the header. After a failure nothing more is
// written.
// LOCKS_REQUIRED(s.mu)
func (s *stage) flush(plain []byte) error {
	if s.err == nil && !s.begun {
		s.begun = true
		_, s.err = s.below.Write(cipher.AppendHeader(nil, s.nonce))
	}
	if s.err == nil && len(plain) > 0 {
		_, s.err = s.below.Write(s.next(s.buf.sealed[:0], plain))
	}
	return remote.Renamed("write", s.name, s.err)
}

// finish writes the last block.
// LOCKS_REQUIRED(s.mu)
func (s *stage) finish() error {
	if !s.sealed {
		s.sealed = true
		return s.flush(s.buf.plain[:s.held])
	}
	return remote.Renamed("write", s.name, s.err)
}

// Commit implements remote.Stage.
func (s *stage) Commit(ctx context.Context, modTime time.Time) (remote.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended.Load() {
		return remote.Entry{}, nil
	}
	if ctx.Err() != nil {
		return remote.Entry{}, remote.Renamed("publish", s.name, context.Cause(ctx))
	}
	if err := s.r.free(ctx, s.name, s.at); err != nil {
		return remote.Entry{}, remote.Renamed("publish", s.name, err)
	}
	if err := s.finish(); err != nil {
		return remote.Entry{}, err
	}
	e, err := s.below.Commit(ctx, modTime)
	if err != nil {
		return remote.Entry{}, remote.Renamed("publish", s.name, err)
	}
	s.end()
	return s.r.seen(e, remote.BaseOf(s.name)), nil
}

// Keep implements remote.Stage. While a Write is under way, its block is not kept.
func (s *stage) Keep() error {
	if !s.r.keeps {
		return s.Abort()
	}
	if s.mu.TryLock() {
		defer s.mu.Unlock()
		if s.ended.Load() {
			return nil
		}
		if s.held > 0 && s.err == nil {
			_ = s.finish() // without its end, the part is shorter
		}
		s.end()
	}
	s.ended.Store(true)
	return remote.Renamed("keep", s.name, s.below.Keep())
}

// Abort implements remote.Stage.
func (s *stage) Abort() error {
	if s.mu.TryLock() {
		defer s.mu.Unlock()
		if s.ended.Load() {
			return nil
		}
		s.end()
	}
	s.ended.Store(true)
	return remote.Renamed("abort", s.name, s.below.Abort())
}

// end ends the stage.
// LOCKS_REQUIRED(s.mu)
func (s *stage) end() {
	if !s.ended.Swap(true) {
		s.r.buffers.Put(s.buf)
		s.buf = nil
	}
}

// A plainStage is one of a file whose content is as it is.
type plainStage struct {
	remote.Stage
	r    *Remote
	name string
	at   place
}

// Commit implements remote.Stage.
func (s *plainStage) Commit(ctx context.Context, modTime time.Time) (remote.Entry, error) {
	if err := s.r.free(ctx, s.name, s.at); err != nil {
		return remote.Entry{}, remote.Renamed("publish", s.name, err)
	}
	e, err := s.Stage.Commit(ctx, modTime)
	if err != nil || e.Name == "" {
		return remote.Entry{}, remote.Renamed("publish", s.name, err)
	}
	return s.r.seen(e, remote.BaseOf(s.name)), nil
}

// A begin is what an upload begins with.
type begin struct {
	content io.ReadCloser                   // nil = nothing
	length  int64                           // that content must have; remote.AtEnd = what it has
	taken   func(ctx context.Context) error // called when it is copied; nil = it stays
}

// openBase opens what an upload begins with.
func (r *stager) openBase(ctx context.Context, name string, p place, o remote.StageOptions) (b begin, err error) {
	switch o.Base {
	case remote.BaseFile:
		b.length = o.Off
		b.content, err = r.Open(ctx, name, 0, o.Off)
	case remote.BasePart:
		return r.openPart(ctx, p, name, o)
	}
	return b, err
}

func (b begin) close() {
	if b.content != nil {
		_ = b.content.Close() // all that was needed of it was read
	}
}

func (b begin) copyTo(ctx context.Context, s *stage) error {
	if b.content == nil {
		return nil
	}
	n, err := io.Copy(struct{ io.Writer }{s}, remote.ContextReader(ctx, b.content))
	if err == nil && b.length >= 0 && n != b.length {
		err = remote.ErrInvalid
	}
	if err == nil && b.taken != nil {
		err = b.taken(ctx)
	}
	return err
}
