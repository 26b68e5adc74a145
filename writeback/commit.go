package writeback

import (
	"context"
	"errors"
	"time"

	"ferry/breaker"
	"ferry/cache"
	"ferry/remote"
)

// Commit implements remote.Stage. When it returns nil, the content is what --vfs-write-ack
// promises, and is visible to all sessions under the name.
func (s *spool) Commit(ctx context.Context, modTime time.Time) (remote.Entry, error) {
	if s.ended.Load() {
		return s.published, nil
	}
	e, err := s.publish(ctx, nowOr(modTime))
	if err != nil {
		return remote.Entry{}, pathError("publish", s.name, err)
	}
	s.tree.names.NotePending(s.name)
	s.published = e
	s.ended.Store(true)
	s.cancel()
	return e, nil
}

// nowOr returns t, or the current time if t is zero.
func nowOr(t time.Time) time.Time {
	if t.IsZero() {
		return time.Now()
	}
	return t
}

func (s *spool) publish(ctx context.Context, modTime time.Time) (remote.Entry, error) {
	if ctx.Err() != nil {
		return remote.Entry{}, context.Cause(ctx)
	}
	v := s.tree
	release, err := v.lock(ctx, s.name)
	if err != nil {
		return remote.Entry{}, err
	}
	defer release()
	if s.fresh {
		if err := v.absent(ctx, s.name); err != nil {
			return remote.Entry{}, err
		}
	}
	for {
		c, err := s.target(ctx)
		if err != nil {
			return remote.Entry{}, err
		}
		if s.out != nil || v.ack == AckRemote {
			return s.publishRemote(ctx, modTime)
		}
		if c != nil {
			if pinned, err := v.pin(ctx, c); err != nil {
				return remote.Entry{}, err
			} else if !pinned {
				continue
			}
			defer v.unpin(c)
		}
		return s.publishLocal(ctx, modTime, c)
	}
}

// target checks that there may still be a file of this name, and that it is still the one which the
// upload continues. It returns the pending change that the new one supersedes, or nil.
func (s *spool) target(ctx context.Context) (*change, error) {
	v := s.tree
	v.mu.Lock()
	st, _ := v.pending.look(s.name)
	c := v.pending.newest(s.name)
	if c != nil && v.pending.keyOf(c.rec.Name) != v.pending.keyOf(s.name) {
		c = nil // the file that was there was renamed; its record removes it here
	}
	v.mu.Unlock()
	switch st {
	case isDir:
		return nil, remote.ErrIsDir
	case underFile:
		return nil, remote.ErrNotDir
	case isDeleted:
		if c != nil && c.rec.Kind == cache.RemovedDir {
			if err := v.removedDirFirst(ctx, c); err != nil {
				return nil, err
			}
			return s.target(ctx)
		}
	case unknown:
		if e, known := v.names.Known(s.name); known && e.Dir {
			return nil, remote.ErrIsDir
		}
		if v.dirs.has(v.pending.keyOf(s.name)) || v.caps.CheapStat {
			e, err := v.names.StatSoon(ctx, s.name)
			if err == nil && e.Dir {
				return nil, remote.ErrIsDir
			}
			v.logProbeFailure(ctx, s.name, err)
		}
	}
	if s.base.file {
		return c, s.unchanged(ctx, st, c)
	}
	return c, nil
}

// unchanged fails if the file is not the one any more that the upload continues: an acknowledged
// upload of another client would be lost. Whether the file has reached the remote meanwhile makes
// no difference.
func (s *spool) unchanged(ctx context.Context, st state, now *change) error {
	v := s.tree
	v.mu.Lock()
	changed := v.recent.since(v.pending.keyOf(s.name), s.base.asOf)
	v.mu.Unlock()
	if changed {
		return remote.ErrChanged
	}
	was := s.base.entry
	if c := s.base.change; c != nil {
		if now != nil && now.rec.ID == c.rec.ID {
			return nil
		}
		v.mu.Lock()
		was = c.stored
		v.mu.Unlock()
	}
	if st != unknown || was.Name == "" {
		return remote.ErrChanged
	}
	var e remote.Entry
	err := v.breaker.Ask(ctx, func(ctx context.Context) (err error) {
		e, err = v.remote.Stat(ctx, s.name)
		return err
	})
	switch {
	case errors.Is(err, remote.ErrNotExist):
		return remote.ErrChanged
	case err != nil && (ctx.Err() != nil || breaker.IsAnswer(err)):
		return err
	case err != nil: // unknown; nothing has changed it here
		v.logProbeFailure(ctx, s.name, err)
		return nil
	case !v.sameFile(e, was):
		return remote.ErrChanged
	}
	return nil
}

// sameFile reports whether two descriptions of one name can be of the same content. One may be the
// result of an upload, and less complete.
func (v *Tree) sameFile(a, b remote.Entry) bool {
	if a.Size >= 0 && b.Size >= 0 && a.Size != b.Size {
		return false
	}
	if a.Version != "" && b.Version != "" {
		return a.Version == b.Version
	}
	return v.caps.ModTime == 0 || a.ModTime.IsZero() || b.ModTime.IsZero() || a.ModTime.Sub(b.ModTime).Abs() < max(v.caps.ModTime, 1)
}

// publishLocal makes the record. c, which may be nil, is pinned.
func (s *spool) publishLocal(ctx context.Context, modTime time.Time, c *change) (remote.Entry, error) {
	v := s.tree
	rec := cache.Record{Name: s.name, ModTime: modTime}
	if o := v.tell.origin(ctx, s.origin, s.name); o != nil {
		rec.Origin = upload{Origin: *o}.pack()
	}
	var err error
	if rec.Base, rec.BaseVersion, err = v.baseNow(ctx, s.name, c, s.known); err != nil {
		return remote.Entry{}, err
	}
	v.mu.Lock()
	if c != nil {
		rec.Removes = v.pending.inherited(c)
	}
	rec.FactsOf = s.factsOf(c, rec)
	rec.Sent = v.sentBefore(rec, nil, c)
	v.mu.Unlock()
	if rec, err = s.draft.Commit(ctx, rec, v.durability()); err != nil {
		return remote.Entry{}, err
	}
	next := newChange(rec, v.dueNow())
	next.mode = s.known.entry.Mode
	v.mu.Lock()
	if c == nil {
		v.replace(next)
	} else {
		next.mode = c.mode
		if c.rec.Kind == cache.File && c.run == nil && c.due.Before(next.due) {
			next.due = c.due // a file that is replaced again and again must still be sent
		}
		next.pinned = make(chan struct{}) // until the old record cannot reappear
		v.replace(next, c)
	}
	e := v.describe(s.name, isFile, next)
	v.mu.Unlock()
	if c != nil {
		v.dropOld(next, c)
		v.unpin(next)
	}
	v.dropRemotePart(s.name, s.owner)
	return e, nil
}

// The facts that an object store keeps of a file besides its content (content type, metadata, tags
// ...) are preserved when an upload continues the file, although the disk cache sends it
// completely. A record names the file on the remote that has these facts. Neither the record nor
// any change before it replaces that file earlier: it is the file of the record's own name, or one
// that the record removes.

// factsOf returns FactsOf for the record rec of the upload, which supersedes c; nil if no change of
// the name is pending. LOCKS_REQUIRED(Tree.mu)
func (s *spool) factsOf(c *change, rec cache.Record) string {
	switch {
	case !s.draft.Continues():
		return ""
	case c == nil:
		return s.name
	}
	return s.tree.pending.stillIts(c.factsOf, rec) // a new pending file has none
}
