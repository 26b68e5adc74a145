package writeback

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"time"

	"ferry/events"
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
	if err := v.doubts.await(ctx, s.name); err != nil {
		return remote.Entry{}, err
	}
	if s.out != nil {
		modTime = time.Time{} // the Put was begun without
	}
	a, err := v.tell.announce(ctx, s.origin, s.name, nil, s.draft.Size(), modTime)
	if err != nil {
		return remote.Entry{}, err
	}
	var e remote.Entry
	if s.out != nil {
		a.follow(s.out.request)
		e, err = s.out.complete(ctx)
	} else {
		e, err = s.putRepeatedly(a.watch(ctx), modTime)
	}
	a.end(ctx, e, err)
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
			e, err = putSafely(ctx, s.tree.remote, s.name, body, nil, o)
			return err
		}, s.name)
		if err == nil || body.err != nil || remote.Permanent(err) || remote.WasRepeated(err) || ctx.Err() != nil || tries == putAttempts {
			return e, err
		}
		if err := remote.Sleep(ctx, backoff(tries)); err != nil {
			return remote.Entry{}, err
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
		t := v.newPassthrough(ctx, s, name, o)
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
	t := v.newPassthrough(ctx, s, name, o)
	t.request = s.request
	return t, nil
}

func (v *Tree) newPassthrough(ctx context.Context, s remote.Stage, name string, o remote.StageOptions) *passthrough {
	return &passthrough{
		Stage: s, tree: v, name: name, owner: o.Owner, fresh: o.New, origin: v.tell.origin(ctx, nil, name), size: sizeOf(o),
	}
}

// A passthrough is a stage of the remote below the Tree.
type passthrough struct {
	remote.Stage
	tree    *Tree
	name    string
	owner   string
	fresh   bool           // StageOptions.New
	request *request       // of a Put that has begun; nil = none has
	origin  *events.Origin // nil: unknown
	size    int64          // of the file so far; below 0 = unknown
	done    bool           // it was published
}

// A passthroughFrom is a passthrough that is an io.ReaderFrom.
type passthroughFrom struct {
	*passthrough
	from io.ReaderFrom
}

// sizeOf returns how long a file that is staged with o is before anything is written; below 0 =
// unknown.
func sizeOf(o remote.StageOptions) int64 {
	switch {
	case o.Off != remote.AtEnd:
		return o.Off
	case o.Base == remote.BaseFile && o.File.Name != "":
		return o.File.Size
	}
	return -1
}

// grown returns a size with n bytes more, if it is known.
func grown(size, n int64) int64 {
	if size < 0 {
		return size
	}
	return size + n
}

// Write implements io.Writer.
func (t *passthrough) Write(p []byte) (int, error) {
	n, err := t.Stage.Write(p)
	t.size = grown(t.size, int64(n))
	return n, err
}

// ReadFrom implements io.ReaderFrom. It passes r on unwrapped, so that the remote can recognise a
// connection.
func (t *passthroughFrom) ReadFrom(r io.Reader) (int64, error) {
	n, err := t.from.ReadFrom(r)
	t.size = grown(t.size, n)
	return n, err
}

// Commit implements remote.Stage. A pending change of the name is sent first.
func (t *passthrough) Commit(ctx context.Context, modTime time.Time) (remote.Entry, error) {
	v := t.tree
	if t.done {
		return t.Stage.Commit(ctx, modTime)
	}
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
	if err := v.doubts.await(ctx, t.name); err != nil {
		return remote.Entry{}, pathError("publish", t.name, err)
	}
	a, err := v.tell.announce(ctx, t.origin, t.name, t.Stage, t.size, modTime)
	if err != nil {
		return remote.Entry{}, pathError("publish", t.name, err)
	}
	a.follow(t.request)
	var e remote.Entry
	err = v.doubts.ask(a.watch(ctx), func(ctx context.Context) (err error) {
		e, err = t.Stage.Commit(ctx, modTime)
		return err
	}, t.name)
	a.end(ctx, e, err)
	v.noteRemoteChange(t.name)
	if err != nil {
		return e, err
	}
	t.done = true
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
	if err := v.doubts.await(ctx, name); err != nil {
		return remote.Entry{}, err
	}
	a, err := v.tell.announce(ctx, nil, name, nil, knownSize(o), o.ModTime)
	if err != nil {
		return remote.Entry{}, err
	}
	var e remote.Entry
	err = v.doubts.ask(a.watch(ctx), func(ctx context.Context) (err error) {
		e, err = v.remote.Put(ctx, name, body, o)
		return err
	}, name)
	a.end(ctx, e, err)
	if err != nil {
		return e, err
	}
	v.supersedeLost(ctx, name)
	return e, nil
}
