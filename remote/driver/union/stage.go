package union

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"ferry/remote"
)

// A stager is a union in which every upstream that can be changed is a Stager.
type stager struct{ *Remote }

// Stage implements remote.Stager. An upload into several upstreams is written to all of them at the
// pace of the slowest.
func (r *stager) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	s, err := r.stage(ctx, name, o)
	return s, remote.Renamed("stage", name, err)
}

func (r *stager) stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	if err := remote.Check(ctx, name); err != nil {
		return nil, err
	}
	if !o.Valid() {
		return nil, remote.ErrInvalid
	}
	var from *held // whose file is continued
	choose := r.targets
	switch o.Base {
	case remote.BasePart:
		choose = func(ctx context.Context, name string) ([]*upstream, error) {
			return r.partTargets(ctx, name, o.PartOwner())
		}
	case remote.BaseFile:
		var err error
		if from, err = r.find(ctx, name); err != nil {
			return nil, err
		}
	}
	ups, release, err := r.claim(ctx, name, choose)
	if err != nil {
		return nil, err
	}
	s := &stage{r: r, name: name, owner: o.Owner, release: release}
	for _, u := range ups {
		one, err := u.begin(ctx, name, o, from)
		if err != nil {
			return nil, errors.Join(u.fail(err), s.Abort())
		}
		s.ups, s.all = append(s.ups, u), append(s.all, one)
	}
	if fast, ok := s.all[0].(io.ReaderFrom); ok && len(s.all) == 1 {
		return fastStage{s, fast}, nil
	}
	return s, nil
}

// begin opens the stage of one upstream. What is continued and stands in another one is copied.
func (u *upstream) begin(ctx context.Context, name string, o remote.StageOptions, from *held) (remote.Stage, error) {
	s, _ := remote.AsStager(u.Remote)
	if from == nil || from.up == u {
		return s.Stage(u.uploads(ctx), name, o)
	}
	n := o.Off
	switch {
	case n == remote.AtEnd:
		n = from.entry.Size
	case n > from.entry.Size:
		return nil, remote.ErrInvalid
	}
	one, err := s.Stage(u.uploads(ctx), name, remote.StageOptions{Owner: o.Owner, File: o.File, New: o.New})
	if err != nil {
		return nil, err
	}
	src, err := from.up.Remote.Open(ctx, name, 0, n)
	if err == nil {
		var copied int64
		copied, err = io.Copy(one, remote.ContextReader(ctx, src))
		src.Close()
		if err == nil && copied < n {
			err = io.ErrUnexpectedEOF
		}
	}
	if err != nil {
		return nil, errors.Join(err, one.Abort())
	}
	return one, nil
}

// A stage is an upload into one or several upstreams.
type stage struct {
	r     *stager
	name  string
	owner string
	ups   []*upstream
	all   []remote.Stage
	entry remote.Entry // of the first, once it is published

	release func() // of the claim
}

// Write implements io.Writer.
func (s *stage) Write(p []byte) (n int, err error) {
	for _, one := range s.all {
		if n, err = one.Write(p); err != nil {
			return n, remote.Renamed("write", s.name, err)
		}
	}
	return n, nil
}

// Commit implements remote.Stage. What others keep of the owner's upload is dropped.
func (s *stage) Commit(ctx context.Context, modTime time.Time) (remote.Entry, error) {
	unlock, err := s.r.names.Change(ctx, s.name) // of two uploads the same one is last everywhere
	if err != nil {
		return remote.Entry{}, remote.Renamed("publish", s.name, err)
	}
	defer unlock()
	errs := make([]error, len(s.all))
	for i, one := range s.all {
		var e remote.Entry
		if e, errs[i] = one.Commit(ctx, modTime); errs[i] == nil && i == 0 && e.Name != "" {
			s.entry = s.ups[0].seen(e)
		}
	}
	if err := together(s.ups, errs); err != nil {
		return remote.Entry{}, remote.Renamed("publish", s.name, err)
	}
	s.dropOthers(ctx)
	s.release()
	return s.entry, nil
}

// dropOthers drops what upstreams keep of the owner's upload that do not take part in this one.
// Mostly there is nothing; what cannot be dropped expires.
func (s *stage) dropOthers(ctx context.Context) {
	for _, u := range s.r.stagers() {
		if !slices.Contains(s.ups, u) {
			own, _ := remote.AsStager(u.Remote)
			_ = own.DropPart(ctx, s.name, s.owner)
		}
	}
}

// keepTime is how long it may take to drop what others keep.
const keepTime = 10 * time.Second

// Keep implements remote.Stage. Where an upstream keeps no parts none is kept: it would depend on
// chance whether an upload can be continued.
func (s *stage) Keep() error {
	if !s.r.keeps {
		return s.Abort()
	}
	err := s.end("keep", remote.Stage.Keep)
	if err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), keepTime)
		defer cancel()
		s.dropOthers(ctx)
	}
	return err
}

// Abort implements remote.Stage.
func (s *stage) Abort() error { return s.end("discard", remote.Stage.Abort) }

func (s *stage) end(op string, how func(remote.Stage) error) error {
	defer s.release()
	var errs error
	for i, one := range s.all {
		errs = errors.Join(errs, s.ups[i].fail(how(one)))
	}
	return remote.Renamed(op, s.name, errs)
}

// A fastStage keeps the zero-copy path of the stage that it holds.
type fastStage struct {
	*stage
	io.ReaderFrom
}

// stagers are the upstreams in which there can be parts.
func (r *stager) stagers() []*upstream {
	return slices.DeleteFunc(slices.Clone(r.ups), func(u *upstream) bool { return u.readOnly() })
}

// parts returns the upstreams that have the part that owner left, and how they describe it. They
// must all answer.
func (r *stager) parts(ctx context.Context, name, owner string) (ups []*upstream, entries []remote.Entry, err error) {
	if err := remote.Check(ctx, name); err != nil {
		return nil, nil, err
	}
	switch {
	case !remote.ValidOwner(owner):
		return nil, nil, remote.ErrInvalid
	case !r.keeps:
		return nil, nil, remote.ErrNotExist
	}
	none := remote.ErrNotExist
	for _, u := range r.stagers() {
		s, _ := remote.AsStager(u.Remote)
		switch e, err := s.Part(ctx, name, owner); {
		case err == nil:
			ups, entries = append(ups, u), append(entries, u.seen(e))
		case errors.Is(err, remote.ErrFinished):
			none = remote.ErrFinished
		case !absent(err):
			return nil, nil, u.fail(err)
		}
	}
	if len(ups) == 0 {
		return nil, nil, none
	}
	return ups, entries, nil
}

// partTargets returns the upstreams in which a part is continued: the first one that has it, and
// those that have as much of it.
func (r *stager) partTargets(ctx context.Context, name, owner string) ([]*upstream, error) {
	ups, entries, err := r.parts(ctx, name, owner)
	if err != nil {
		return nil, err
	}
	var same []*upstream
	for i, e := range entries {
		if e.Size == entries[0].Size {
			same = append(same, ups[i])
		}
	}
	l, err := r.known(ctx, name)
	if err == nil && !r.seen(l.holders(), same) {
		err = remote.ErrPermission
	}
	return same, err
}

// Part implements remote.Stager.
func (r *stager) Part(ctx context.Context, name, owner string) (remote.Entry, error) {
	_, entries, err := r.parts(ctx, name, owner)
	if err != nil {
		return remote.Entry{}, remote.Renamed("part", name, err)
	}
	return entries[0], nil
}

// DropPart implements remote.Stager.
func (r *stager) DropPart(ctx context.Context, name, owner string) error {
	ups, _, err := r.parts(ctx, name, owner)
	if err == nil {
		err = each(ups, func(u *upstream) error {
			s, _ := remote.AsStager(u.Remote)
			return gone(s.DropPart(ctx, name, owner))
		})
	}
	return remote.Renamed("droppart", name, err)
}

// A partReader is a stager of whose upstreams each can read what it keeps of uploads.
type partReader struct{ *stager }

// OpenPart implements remote.PartReader.
func (r *partReader) OpenPart(ctx context.Context, name, owner string, off, n int64) (io.ReadCloser, error) {
	ups, _, err := r.parts(ctx, name, owner)
	if err != nil {
		return nil, remote.Renamed("openpart", name, err)
	}
	f, err := remote.Forward{Remote: ups[0].Remote}.OpenPart(ctx, name, owner, off, n)
	return f, remote.Renamed("openpart", name, err)
}
