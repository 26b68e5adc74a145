package writeback

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"ferry/cache"
	"ferry/dircache"
	"ferry/events"
	"ferry/remote"
)

// A Direct is a remote without a cache. It serialises conflicting changes, and delays those that
// follow a change in doubt. If the remote cannot stage, there are no parts, and Stream takes the
// place of Stage.
type Direct struct {
	remote.Forward
	noPending

	stages bool // the remote can stage
	fold   bool // the remote ignores the case of names
	paths  pathLocks
	doubts *doubts
	tell   *teller
}

// DirectOptions configure a Direct. The zero value is valid.
type DirectOptions struct {
	Names  *dircache.Tree // of the remote; nil: nothing is cached
	Events *events.Stream // of uploads; nil: nobody listens
	Log    *slog.Logger   // nil: nothing is logged
}

// NewDirect returns a Direct over below, which the caller closes.
func NewDirect(below remote.Remote, o DirectOptions) *Direct {
	d := &Direct{Forward: remote.Forward{Remote: below}, fold: below.Info().Caps.CaseInsensitive}
	_, d.stages = remote.AsStager(below)
	d.doubts = newDoubts(nil, d.keyOf, orDiscard(o.Log))
	d.tell = newTeller(o.Events, below, o.Names)
	return d
}

func orDiscard(log *slog.Logger) *slog.Logger {
	if log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return log
}

// Info implements remote.Remote.
func (d *Direct) Info() remote.Info {
	info := d.Forward.Info()
	info.Caps.NoParts = info.Caps.NoParts || !d.stages
	return info
}

// LocalParts returns the unfinished uploads in dir that are kept on the local disk, and whether the
// remote may have others.
func (d *Direct) LocalParts(string) (parts []remote.Entry, others bool) { return nil, true }

// keyOf returns the key by which names are compared.
func (d *Direct) keyOf(name string) string {
	if d.fold {
		return strings.ToLower(name)
	}
	return name
}

// lock locks names and the paths above and below them, and waits while they are in doubt.
func (d *Direct) lock(ctx context.Context, names ...string) (release func(), err error) {
	if release, err = d.paths.take(ctx, d.doubts.keys(names)...); err != nil {
		return nil, err
	}
	if err := d.doubts.await(ctx, names...); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// changing makes a change of names under their locks.
func (d *Direct) changing(ctx context.Context, call func(ctx context.Context) error, names ...string) error {
	release, err := d.lock(ctx, names...)
	if err != nil {
		return err
	}
	defer release()
	return call(d.doubts.request(0, names...).watch(ctx))
}

// Put implements remote.Remote.
func (d *Direct) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (e remote.Entry, err error) {
	err = d.changing(ctx, func(ctx context.Context) error {
		a, err := d.tell.announce(ctx, nil, name, nil, knownSize(o), o.ModTime)
		if err != nil {
			return err
		}
		e, err = d.Forward.Put(a.watch(ctx), name, body, o)
		a.end(ctx, e, err)
		return err
	}, name)
	return e, err
}

// Remove implements remote.Remote.
func (d *Direct) Remove(ctx context.Context, name string) error {
	return d.changing(ctx, func(ctx context.Context) error {
		d.tell.settleNow(ctx, name)
		return d.Forward.Remove(ctx, name)
	}, name)
}

// Mkdir implements remote.Remote.
func (d *Direct) Mkdir(ctx context.Context, dir string) error {
	return d.changing(ctx, func(ctx context.Context) error { return d.Forward.Mkdir(ctx, dir) }, dir)
}

// Rmdir implements remote.Remote.
func (d *Direct) Rmdir(ctx context.Context, dir string) error {
	return d.changing(ctx, func(ctx context.Context) error { return d.Forward.Rmdir(ctx, dir) }, dir)
}

// Move implements remote.Mover, also where the remote copies and removes.
func (d *Direct) Move(ctx context.Context, from, to string) error {
	return d.changing(ctx, func(ctx context.Context) error {
		d.tell.settleNow(ctx, from, to)
		return remote.Move(ctx, d.Remote, from, to)
	}, from, to)
}

// MoveNew is Move to a name that there must not be, else it is ErrExist.
func (d *Direct) MoveNew(ctx context.Context, from, to string) error {
	return d.changing(ctx, func(ctx context.Context) error {
		if d.keyOf(from) != d.keyOf(to) {
			if err := absent(ctx, d.Remote, to); err != nil {
				return err
			}
		}
		d.tell.settleNow(ctx, from, to)
		return remote.Move(ctx, d.Remote, from, to)
	}, from, to)
}

// SetModTime implements remote.ModTimer.
func (d *Direct) SetModTime(ctx context.Context, name string, t time.Time) error {
	return d.changing(ctx, func(ctx context.Context) error { return d.Forward.SetModTime(ctx, name, t) }, name)
}

// SetMode implements remote.Moder.
func (d *Direct) SetMode(ctx context.Context, name string, perm fs.FileMode) error {
	return d.changing(ctx, func(ctx context.Context) error { return d.Forward.SetMode(ctx, name, perm) }, name)
}

// Stage implements remote.Stager.
func (d *Direct) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	s, err := d.Forward.Stage(ctx, name, o)
	if err != nil {
		return nil, err
	}
	staged := &directStage{Stage: s, direct: d, name: name, o: o, origin: d.tell.origin(ctx, nil, name), size: sizeOf(o)}
	if from, ok := s.(io.ReaderFrom); ok {
		return &directStageFrom{staged, from}, nil
	}
	return staged, nil
}

// Stream starts an upload to a remote that cannot stage: a concurrent Put reads the written data.
// No part can be kept or continued. fresh is StageOptions.New.
func (d *Direct) Stream(ctx context.Context, name string, fresh bool) (remote.Stage, error) {
	s, err := startStreamed(ctx, d.Remote, name, d.doubts, d.lock)
	if err != nil {
		return nil, err
	}
	s.fresh, s.tell, s.origin = fresh, d.tell, d.tell.origin(ctx, nil, name)
	return s, nil
}

// A directStage is an upload to a remote that can stage.
type directStage struct {
	remote.Stage
	direct *Direct
	name   string
	o      remote.StageOptions
	origin *events.Origin // nil: unknown
	size   int64          // of the file so far; below 0 = unknown
	done   bool           // it was published
}

// A directStageFrom is a directStage that is an io.ReaderFrom.
type directStageFrom struct {
	*directStage
	from io.ReaderFrom
}

// Write implements io.Writer.
func (s *directStage) Write(p []byte) (int, error) {
	n, err := s.Stage.Write(p)
	s.size = grown(s.size, int64(n))
	return n, err
}

// ReadFrom implements io.ReaderFrom. It passes r on unwrapped, so that the remote can recognise a
// connection.
func (s *directStageFrom) ReadFrom(r io.Reader) (int64, error) {
	n, err := s.from.ReadFrom(r)
	s.size = grown(s.size, n)
	return n, err
}

// Commit implements remote.Stage. An upload that continues a file is refused if the file has
// changed since: an acknowledged upload of another client would be lost.
func (s *directStage) Commit(ctx context.Context, modTime time.Time) (e remote.Entry, err error) {
	err = s.direct.changing(ctx, func(ctx context.Context) error {
		if s.o.Base == remote.BaseFile && s.o.File.Name != "" {
			if err := s.unchanged(ctx); err != nil {
				return err
			}
		}
		if s.o.New {
			if err := absent(ctx, s.direct.Remote, s.name); err != nil {
				return err
			}
		}
		e, err = s.publish(ctx, modTime)
		return err
	}, s.name)
	return e, err
}

// publish makes the file visible. The name is locked.
func (s *directStage) publish(ctx context.Context, modTime time.Time) (e remote.Entry, err error) {
	if s.done {
		return s.Stage.Commit(ctx, modTime)
	}
	a, err := s.direct.tell.announce(ctx, s.origin, s.name, s.Stage, s.size, modTime)
	if err != nil {
		return e, pathError("publish", s.name, err)
	}
	e, err = s.Stage.Commit(a.watch(ctx), modTime)
	a.end(ctx, e, err)
	s.done = err == nil
	return e, err
}

// unchanged fails if the file is not the one any more that the upload continues.
func (s *directStage) unchanged(ctx context.Context) error {
	now, err := s.direct.Stat(ctx, s.name)
	if errors.Is(err, remote.ErrNotExist) {
		return pathError("commit", s.name, remote.ErrChanged)
	}
	if err != nil {
		return err
	}
	was := s.o.File
	if now.Version == was.Version && now.Size == was.Size && now.ModTime.Equal(was.ModTime) && now.ID == was.ID {
		return nil
	}
	return pathError("commit", s.name, remote.ErrChanged)
}

// Part implements remote.Stager.
func (d *Direct) Part(ctx context.Context, name, owner string) (remote.Entry, error) {
	if !d.stages {
		return remote.Entry{}, pathError("stat", name, remote.ErrNotExist)
	}
	return d.Forward.Part(ctx, name, owner)
}

// DropPart implements remote.Stager.
func (d *Direct) DropPart(ctx context.Context, name, owner string) error {
	if !d.stages {
		return pathError("droppart", name, remote.ErrNotExist)
	}
	return d.Forward.DropPart(ctx, name, owner)
}

// Run implements Pending: it finds out what became of uploads whose answer was lost, if anybody
// wants to know.
func (d *Direct) Run(ctx context.Context) error {
	d.tell.run(ctx)
	return nil
}

// noPending is a Pending without pending changes.
type noPending struct{}

func (noPending) Flush(context.Context, string) error        { return nil }
func (noPending) Waiting() Waiting                           { return Waiting{} }
func (noPending) Oldest() time.Time                          { return time.Time{} }
func (noPending) Queue() []Queued                            { return nil }
func (noPending) SetExpiry(int64, time.Duration, bool) error { return os.ErrNotExist }
func (noPending) SetAside(int64) error                       { return os.ErrNotExist }
func (noPending) Refused() ([]cache.LostRecord, error)       { return nil, nil }
func (noPending) RetryRefused(string) error                  { return os.ErrNotExist }
func (noPending) DropRefused(string) error                   { return os.ErrNotExist }
