package combine

import (
	"context"
	"io"
	"time"

	"ferry/remote"
)

// A stager is a tree of remotes all of which are Stagers.
type stager struct{ *Remote }

// Stage implements remote.Stager.
func (r *stager) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	p, err := r.findNew(ctx, name)
	if err == nil && p.up == nil {
		err = remote.ErrIsDir
	}
	if err != nil {
		return nil, remote.Renamed("stage", name, err)
	}
	s, _ := remote.AsStager(p.up.Remote)
	stage, err := s.Stage(p.up.uploads(ctx), p.name, o)
	if err != nil {
		return nil, remote.Renamed("stage", name, err)
	}
	seen := seenStage{stage, p.up}
	if fast, ok := stage.(io.ReaderFrom); ok {
		return fastStage{seen, fast}, nil
	}
	return seen, nil
}

// A seenStage publishes an entry as it is seen here.
type seenStage struct {
	remote.Stage
	up *Upstream
}

// Commit implements remote.Stage.
func (s seenStage) Commit(ctx context.Context, modTime time.Time) (remote.Entry, error) {
	e, err := s.Stage.Commit(ctx, modTime)
	return s.up.seen(e), err
}

// A fastStage keeps the zero-copy path of the stage that it holds.
type fastStage struct {
	seenStage
	io.ReaderFrom
}

// Part implements remote.Stager.
func (r *stager) Part(ctx context.Context, name, owner string) (remote.Entry, error) {
	p, err := r.find(ctx, name)
	if err == nil && p.up == nil {
		err = remote.ErrNotExist
	}
	if err != nil {
		return remote.Entry{}, remote.Renamed("part", name, err)
	}
	s, _ := remote.AsStager(p.up.Remote)
	e, err := s.Part(ctx, p.name, owner)
	return p.up.seen(e), remote.Renamed("part", name, err)
}

// DropPart implements remote.Stager.
func (r *stager) DropPart(ctx context.Context, name, owner string) error {
	p, err := r.find(ctx, name)
	if err == nil && p.up == nil {
		err = remote.ErrNotExist
	}
	if err != nil {
		return remote.Renamed("droppart", name, err)
	}
	s, _ := remote.AsStager(p.up.Remote)
	return remote.Renamed("droppart", name, s.DropPart(ctx, p.name, owner))
}

// A partReader is a stager of whose upstreams each can read what it keeps of uploads.
type partReader struct{ *stager }

// OpenPart implements remote.PartReader.
func (r *partReader) OpenPart(ctx context.Context, name, owner string, off, n int64) (io.ReadCloser, error) {
	p, err := r.find(ctx, name)
	if err == nil && p.up == nil {
		err = remote.ErrNotExist
	}
	if err != nil {
		return nil, remote.Renamed("openpart", name, err)
	}
	f, err := remote.Forward{Remote: p.up.Remote}.OpenPart(ctx, p.name, owner, off, n)
	return f, remote.Renamed("openpart", name, err)
}
