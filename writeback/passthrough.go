package writeback

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"time"

	"ferry/remote"
)

// Uploads that are never pending: those streamed in mode minimal, those acknowledged by the remote,
// and those larger than the cache.

// publishRemote stores the content of the draft on the remote while the client waits. The caller
// has locked the name.
func (s *spool) publishRemote(ctx context.Context, modTime time.Time) (remote.Entry, error) {
	v := s.tree
	if err := v.flushFirst(ctx, s.name); err != nil {
		return remote.Entry{}, err
	}
	var (
		e   remote.Entry
		err error
	)
	if s.out != nil {
		if err := v.doubts.await(ctx, s.name); err != nil {
			return remote.Entry{}, err
		}
		e, err = s.out.complete(ctx)
	} else {
		e, err = s.putRepeatedly(ctx, modTime)
	}
	v.noteRemoteChange(s.name)
	if err != nil {
		return remote.Entry{}, err
	}
	v.supersedeLost(ctx, s.name)
	v.dirs.above(v.pending.keyOf(s.name))
	// The remote has the file: an error of the cache concerns the copy only.
	if err := s.draft.CommitClean(fingerprint(e), v.mode == Full); err != nil {
		v.log.WarnContext(ctx, "a file that is on the remote could not be kept in the cache", "path", s.name, "error", err)
		_ = s.draft.Abort()
	}
	if err := v.store.DropPart(s.name, s.owner); err != nil && !errors.Is(err, fs.ErrNotExist) {
		v.log.WarnContext(ctx, "an unfinished upload could not be removed", "path", s.name, "error", err)
	}
	v.dropRemotePart(s.name, s.owner)
	return e, nil
}

// putAttempts is how often at most a Put is made while a client waits.
const putAttempts = 4

// putRepeatedly is Put of the draft; transient failures are retried.
func (s *spool) putRepeatedly(ctx context.Context, modTime time.Time) (remote.Entry, error) {
	o := remote.PutOptions{Size: s.draft.Size(), ModTime: modTime, FactsOf: s.factsNow()}
	for tries := 1; ; tries++ {
		body := &contentReader{SectionReader: io.NewSectionReader(s.draft, 0, s.draft.Size())}
		var e remote.Entry
		err := s.tree.doubts.ask(ctx, func(ctx context.Context) (err error) {
			e, err = putSafely(ctx, s.tree.remote, s.name, body, o)
			return err
		}, s.name)
		if err == nil || body.err != nil || remote.Permanent(err) || remote.WasRepeated(err) || ctx.Err() != nil || tries == putAttempts {
			return e, err
		}
		wait := time.NewTimer(backoff(tries))
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return remote.Entry{}, context.Cause(ctx)
		}
	}
}

// factsNow returns FactsOf for an upload that is sent while the client waits.
func (s *spool) factsNow() string {
	if !s.draft.Continues() {
		return ""
	}
	v := s.tree
	v.mu.Lock()
	defer v.mu.Unlock()
	if c := v.pending.own(s.name); c != nil {
		return c.factsOf
	}
	return s.name
}

// stageRemote starts an upload that is passed through to the remote.
func (v *Tree) stageRemote(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	if v.stager != nil {
		if st, _ := v.look(name); st == isDir {
			return nil, remote.ErrIsDir
		}
		s, err := v.stager.Stage(ctx, name, o)
		if err != nil {
			return nil, err
		}
		t := &passthrough{Stage: s, tree: v, name: name, owner: o.Owner, fresh: o.New}
		if from, ok := s.(io.ReaderFrom); ok {
			return &passthroughFrom{t, from}, nil
		}
		return t, nil
	}
	if o.Base == remote.BasePart {
		return nil, remote.ErrNotExist
	}
	if name == "." {
		return nil, remote.ErrIsDir
	}
	if _, err := v.checkTarget(ctx, name); err != nil {
		return nil, err
	}
	s, err := startStreamed(ctx, v.remote, name, v.doubts, nil)
	if err != nil {
		return nil, err
	}
	return &passthrough{Stage: s, tree: v, name: name, owner: o.Owner, fresh: o.New}, nil
}

// A passthrough is a stage of the remote below the Tree.
type passthrough struct {
	remote.Stage
	tree  *Tree
	name  string
	owner string
	fresh bool // StageOptions.New
}

// A passthroughFrom is a passthrough that is an io.ReaderFrom.
type passthroughFrom struct {
	*passthrough
	io.ReaderFrom
}

// Commit implements remote.Stage. A pending change of the name is sent first.
func (t *passthrough) Commit(ctx context.Context, modTime time.Time) (remote.Entry, error) {
	v := t.tree
	release, err := v.lock(ctx, t.name)
	if err != nil {
		return remote.Entry{}, pathError("publish", t.name, err)
	}
	defer release()
	if t.fresh {
		if err := v.absent(ctx, t.name); err != nil {
			return remote.Entry{}, pathError("publish", t.name, err)
		}
	}
	if err := v.flushFirst(ctx, t.name); err != nil {
		return remote.Entry{}, pathError("publish", t.name, err)
	}
	var e remote.Entry
	err = v.doubts.ask(ctx, func(ctx context.Context) (err error) {
		e, err = t.Stage.Commit(ctx, modTime)
		return err
	}, t.name)
	v.noteRemoteChange(t.name)
	if err != nil {
		return e, err
	}
	if e.Name != "" { // a stage that had ended before returns no entry
		v.supersedeLost(ctx, t.name)
		v.dirs.above(v.pending.keyOf(t.name))
	}
	return e, t.forgetLocalPart()
}

// Keep implements remote.Stage.
func (t *passthrough) Keep() error {
	err := t.Stage.Keep()
	return errors.Join(err, t.forgetLocalPart())
}

// forgetLocalPart drops the owner's part on the local disk: the last upload kept is kept.
func (t *passthrough) forgetLocalPart() error {
	err := t.tree.store.DropPart(t.name, t.owner)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// putRemote passes a Put through to the remote.
func (v *Tree) putRemote(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	release, err := v.lock(ctx, name)
	if err != nil {
		return remote.Entry{}, err
	}
	defer release()
	if err := v.flushFirst(ctx, name); err != nil {
		return remote.Entry{}, err
	}
	defer v.noteRemoteChange(name)
	var e remote.Entry
	err = v.doubts.ask(ctx, func(ctx context.Context) (err error) {
		e, err = v.remote.Put(ctx, name, body, o)
		return err
	}, name)
	if err != nil {
		return e, err
	}
	v.supersedeLost(ctx, name)
	return e, nil
}
