package objects

import (
	"context"
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
	s := &stage{tree: t, name: name, key: k}
	t.watch.begin(k)
	if err := s.begin(ctx, o); err != nil {
		t.watch.end(k)
		return nil, fail(ctx, "stage", name, err)
	}
	return s, nil
}

// Part implements remote.Stager. Nothing is kept.
func (t *Tree) Part(ctx context.Context, name, owner string) (remote.Entry, error) {
	return remote.Entry{}, t.noPart(ctx, "part", name, owner)
}

// DropPart implements remote.Stager. Nothing is kept.
func (t *Tree) DropPart(ctx context.Context, name, owner string) error {
	return t.noPart(ctx, "droppart", name, owner)
}

func (t *Tree) noPart(ctx context.Context, op, name, owner string) error {
	if _, err := t.key(ctx, op, name); err != nil {
		return err
	}
	if !remote.ValidOwner(owner) {
		return fail(ctx, op, name, remote.ErrInvalid)
	}
	return fail(ctx, op, name, remote.ErrNotExist)
}

// A stage is an upload under way. Its requests outlive the context of Stage, and end with cancel.
type stage struct {
	tree   *Tree
	name   string
	key    Key
	cancel context.CancelFunc

	mu    sync.Mutex
	draft Draft // guarded by mu
	ended bool  // guarded by mu
}

// begin finds the base and starts the draft.
func (s *stage) begin(ctx context.Context, o remote.StageOptions) error {
	var create CreateOptions
	var err error
	switch o.Base {
	case remote.BaseEmpty:
		err = s.tree.dirs.Target(ctx, s.key)
	case remote.BaseFile:
		create, err = s.base(ctx, o.Off)
	default:
		err = remote.ErrNotExist // nothing is kept
	}
	if err != nil {
		return err
	}
	whole, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, cancel) // as long as Create fetches the base
	draft, err := s.tree.store.Create(whole, s.key, create)
	stop()
	if err != nil {
		cancel()
		return err
	}
	s.draft, s.cancel = draft, cancel
	return nil
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

// Commit implements remote.Stage. It asks once more whether the name is a directory, if this
// process has made one since.
func (s *stage) Commit(ctx context.Context, modTime time.Time) (remote.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return remote.Entry{}, nil
	}
	if ctx.Err() != nil {
		return remote.Entry{}, fail(ctx, "publish", s.name, context.Cause(ctx))
	}
	if s.tree.watch.hasDir(s.key) {
		if err := s.tree.dirs.NotDir(ctx, s.key); err != nil {
			return remote.Entry{}, fail(ctx, "publish", s.name, err)
		}
	}
	s.tree.watch.stored(s.key)
	object, err := s.draft.Commit(ctx, modTime)
	if err != nil {
		return remote.Entry{}, fail(ctx, "publish", s.name, err)
	}
	s.tree.dirs.Stored(s.key)
	s.end()
	s.cancel()
	_, base := remote.Split(s.name)
	return entry(base, object), nil
}

// Keep implements remote.Stage. Nothing is kept.
func (s *stage) Keep() error { return s.Abort() }

// Abort implements remote.Stage. It ends a Write that blocks.
func (s *stage) Abort() error {
	s.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.end()
	}
	return nil
}

// end frees what the upload holds.
// LOCKS_REQUIRED(s.mu)
func (s *stage) end() {
	s.ended = true
	s.draft.Abort()
	s.tree.watch.end(s.key)
}
