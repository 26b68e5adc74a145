package objects

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"sync"
	"time"

	"ferry/remote"
)

// Stage implements remote.Stager: an upload that is published as a whole, and may begin with the
// published file.
func (t *Tree) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	k, err := t.target(ctx, "stage", name)
	if err != nil {
		return nil, err
	}
	if !o.Valid() {
		return nil, fail(ctx, "stage", name, remote.ErrInvalid)
	}
	s := &stage{tree: t, name: name, key: k, changed: remote.ErrChanged}
	if err := s.begin(ctx, o); err != nil {
		return nil, fail(ctx, "stage", name, err)
	}
	if roomy, ok := s.draft.(RoomyDraft); ok {
		return &stageFrom{s, roomy}, nil
	}
	return s, nil
}

// A stage is an upload under way. Its requests end with cancel, and up to Commit with the context
// of Stage.
type stage struct {
	tree *Tree
	name string
	key  Key
	// changed is the error when what is there may not be replaced.
	changed error
	cancel  context.CancelCauseFunc
	detach  func() bool // keeps the context of Stage from ending it
	hold    *hold       // nil = the upload is not kept

	mu    sync.Mutex
	draft Draft // guarded by mu
	ended bool  // guarded by mu
}

// begin finds the base and starts the draft.
func (s *stage) begin(ctx context.Context, o remote.StageOptions) error {
	var create CreateOptions
	var part *manifest
	var err error
	switch o.Base {
	case remote.BaseEmpty:
		err = s.tree.dirs.Target(Insist(ctx), s.key)
	case remote.BaseFile:
		create, err = s.base(ctx, o.Off)
	default:
		if err = s.tree.dirs.Target(Insist(ctx), s.key); err == nil {
			part, err = s.tree.takePart(ctx, s.key, o)
		}
	}
	if err != nil {
		return err
	}
	if version, failed, ok := o.Precondition(); ok {
		create.Only, s.changed = &version, failed
	}
	whole, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	s.detach = context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })
	var draft Draft
	if part != nil {
		draft, err = s.tree.resume(whole, s.key, part, o, create)
	} else {
		draft, err = s.tree.store.Create(whole, s.key, create)
	}
	if err != nil {
		s.detach()
		cancel(nil)
		if part != nil {
			s.tree.release(ctx, part)
		}
		return err
	}
	s.draft, s.cancel = draft, cancel
	if kept, ok := draft.(KeptDraft); ok && s.tree.keepsParts() {
		s.holdOn(ctx, kept, o, part)
	}
	return nil
}

// holdOn has the upload kept when it is cut. The end of the context of Stage does not end what is
// on its way then.
func (s *stage) holdOn(ctx context.Context, draft KeptDraft, o remote.StageOptions, part *manifest) {
	if s.detach() {
		s.detach = context.AfterFunc(ctx, func() { draft.Halt(context.Cause(ctx)) })
	}
	s.hold = &hold{tree: s.tree, key: s.key, owner: o.Owner, draft: draft, continues: o.Base == remote.BaseFile}
	s.hold.start(ctx, part)
}

// base looks for the published file, of which off bytes are kept.
func (s *stage) base(ctx context.Context, off int64) (CreateOptions, error) {
	object, isDir, err := s.tree.find(ctx, s.key)
	switch {
	case err != nil:
		return CreateOptions{}, err
	case isDir:
		return CreateOptions{}, remote.ErrIsDir
	case off == remote.AtEnd:
		off = object.Size
	case off > object.Size:
		return CreateOptions{}, remote.ErrInvalid
	}
	return CreateOptions{Base: object, Keep: off}, nil
}

// Write implements io.Writer.
func (s *stage) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return 0, &fs.PathError{Op: "write", Path: s.name, Err: fs.ErrClosed}
	}
	n, err := s.draft.Write(p)
	if err != nil {
		err = &fs.PathError{Op: "write", Path: s.name, Err: err}
	}
	return n, err
}

// stageFrom is a stage of a RoomyDraft.
type stageFrom struct {
	*stage
	roomy RoomyDraft // guarded by mu
}

// ReadFrom implements io.ReaderFrom. What ends the upload does not wait for src.
func (s *stageFrom) ReadFrom(src io.Reader) (total int64, err error) {
	for {
		room, err := s.room()
		if err != nil {
			return total, &fs.PathError{Op: "write", Path: s.name, Err: err}
		}
		n, err := src.Read(room)
		total += int64(n)
		s.took(n)
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

func (s *stageFrom) room() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil, fs.ErrClosed
	}
	return s.roomy.Room()
}

func (s *stageFrom) took(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.roomy.Took(n)
	}
}

// Commit implements remote.Stage.
func (s *stage) Commit(ctx context.Context, modTime time.Time) (remote.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return remote.Entry{}, nil
	}
	if ctx.Err() != nil {
		return remote.Entry{}, fail(ctx, "publish", s.name, context.Cause(ctx))
	}
	s.detach()
	if err := s.hold.pause(ctx); err != nil {
		return remote.Entry{}, fail(ctx, "publish", s.name, err)
	}
	known := s.tree.learnKept(ctx, s.key, s.hold)
	object, err := s.tree.commit(ctx, s.key, s.draft, modTime)
	known()
	if errors.Is(err, remote.ErrChanged) {
		err = s.changed
	}
	if err != nil {
		return remote.Entry{}, fail(ctx, "publish", s.name, err)
	}
	if s.hold != nil {
		s.hold.published(ctx)
	}
	s.end()
	s.cancel(nil)
	_, base := remote.Split(s.name)
	return entry(base, object), nil
}

// Keep implements remote.Stage. It ends a Write that blocks.
func (s *stage) Keep() error {
	if s.hold == nil {
		return s.Abort()
	}
	s.hold.draft.Halt(fs.ErrClosed)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil
	}
	kept, err := s.hold.keep(context.Background())
	if !kept {
		s.cancel(nil)
		s.end()
		return fail(context.Background(), "keep", s.name, err)
	}
	s.ended = true
	s.detach()
	s.cancel(nil)
	return nil
}

// Abort implements remote.Stage. It ends a Write that blocks.
func (s *stage) Abort() error {
	s.cancel(nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.end()
	}
	return nil
}

// end frees what the upload holds, and drops what was not published.
// LOCKS_REQUIRED(s.mu)
func (s *stage) end() {
	s.ended = true
	s.detach()
	if s.hold != nil {
		s.hold.drop(context.Background())
		return
	}
	s.draft.Abort()
}
