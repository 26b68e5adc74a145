package writeback

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"ferry/cache"
	"ferry/remote"
)

// lock locks names, the paths above and below them, and their related paths: the other paths of a
// change that touches one of them.
func (v *Tree) lock(ctx context.Context, names ...string) (release func(), err error) {
	for {
		keys := make([]string, len(names))
		for i, name := range names {
			keys[i] = v.pending.keyOf(name)
		}
		release, err := v.paths.take(ctx, keys...)
		if err != nil {
			return nil, err
		}
		more := v.relatedPaths(names)
		if len(more) == 0 {
			return release, nil
		}
		release()
		names = append(slices.Clip(names), more...)
	}
}

// relatedPaths returns the other paths of the changes that touch names.
func (v *Tree) relatedPaths(names []string) []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var more []string
	for _, name := range names {
		c := v.pending.newest(name)
		if c == nil {
			continue
		}
		for other := range v.pending.paths(c) {
			if !slices.Contains(names, other) && !slices.Contains(more, other) {
				more = append(more, other)
			}
		}
	}
	return more
}

// pin keeps c as it is until unpin: no attempt starts to apply it or finishes. It returns false if
// it was too late; then c is not pending any more when pin returns. If c was refused, another
// change in its place is pending again then.
func (v *Tree) pin(ctx context.Context, c *change) (bool, error) {
	v.mu.Lock()
	if c.dead {
		v.mu.Unlock()
		return false, nil
	}
	if c.refused {
		v.mu.Unlock()
		return false, v.revive(c)
	}
	if !c.ending {
		c.pinned = make(chan struct{})
		v.queue.drop(c)
		v.mu.Unlock()
		return true, nil
	}
	applied := c.applied
	if c.isApplied {
		applied = nil
	}
	v.mu.Unlock()
	select {
	case <-c.gone:
		return false, nil
	case <-applied:
		return v.pin(ctx, c)
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

func (v *Tree) unpin(c *change) {
	v.mu.Lock()
	defer v.mu.Unlock()
	close(c.pinned)
	c.pinned = nil
	v.queue.push(c)
	v.signal()
}

// replace makes next supersede the old changes, if any.
// LOCKS_REQUIRED(v.mu)
func (v *Tree) replace(next *change, old ...*change) {
	for _, c := range v.pending.appliedBefore(next) {
		if !slices.Contains(old, c) { // it was applied after next was prepared
			old = append(slices.Clip(old), c)
			next.stale = append(next.stale, c.rec.ID)
		}
	}
	for _, c := range old {
		if c.first.Before(next.first) {
			next.first = c.first
		}
		next.stale = append(next.stale, c.stale...)
		c.next = next
		v.inherit(next, c)
		v.retire(c)
	}
	for _, c := range v.pending.add(next) {
		v.queue.unblock(c) // its waiters may go first now
	}
	for name := range v.pending.paths(next) {
		v.recent.note(v.pending.keyOf(name))
	}
	v.queue.push(next)
	v.signal()
}

// retire records that c is not pending any more, and cancels its run, if there is one.
// LOCKS_REQUIRED(v.mu)
func (v *Tree) retire(c *change) {
	v.pending.supersede(c)
	v.queue.drop(c)
	v.clearCause(c)
	close(c.gone)
	switch {
	case c.run == nil:
		v.queue.unblock(c)
	case c.ending:
	case c.next == nil || time.Since(c.first) < maxCancelAge || c.next.rec.Name != c.rec.Name:
		c.run.cancel(errSuperseded)
	}
	v.signal()
}

// maxCancelAge is how old a change may be for its run to be cancelled because of newer content.
// Otherwise a file that is replaced more often than it can be sent would never arrive.
const maxCancelAge = time.Minute

var errSuperseded = errors.New("superseded by a later change")

// dropOld drops the records that next supersedes. A record that cannot be dropped now is dropped
// before next is finished: it must not reappear.
func (v *Tree) dropOld(next *change, old ...*change) {
	for _, c := range old {
		err := v.store.Drop(c.rec.ID, v.durability())
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			v.mu.Lock()
			next.stale = append(next.stale, c.rec.ID)
			v.mu.Unlock()
		}
	}
}

// durability returns how durable a record must be before it is acknowledged.
func (v *Tree) durability() cache.Durability {
	if v.ack == AckSpooled {
		return cache.Spooled
	}
	return cache.Durable
}

// dueNow returns when a change that is made now is due.
func (v *Tree) dueNow() time.Time { return time.Now().Add(v.writeBack) }

// noteRemoteChange records a change of the remote: earlier answers may be wrong.
func (v *Tree) noteRemoteChange(names ...string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.done++
	for _, name := range names {
		v.recent.note(v.pending.keyOf(name))
	}
}

// Remove implements remote.Remote.
func (v *Tree) Remove(ctx context.Context, name string) error {
	if err := v.check(ctx, "remove", name); err != nil {
		return err
	}
	return pathError("remove", name, v.remove(ctx, name))
}

func (v *Tree) remove(ctx context.Context, name string) error {
	release, err := v.lock(ctx, name)
	if err != nil {
		return err
	}
	defer release()
	for {
		switch st, c := v.look(name); st {
		case isDir:
			return remote.ErrIsDir
		case isDeleted, underFile:
			return remote.ErrNotExist
		case unknown:
			return v.removeStored(ctx, name)
		case isFile, isMoved:
			if removed, err := v.removePending(ctx, c); removed || err != nil {
				return err
			}
		}
	}
}

// removePending removes a pending file; it returns false if the file is not pending any more. If
// nothing of it ever reached the remote, nothing is left to be done there.
func (v *Tree) removePending(ctx context.Context, c *change) (bool, error) {
	left, err := v.leave(ctx, c.rec.Name)
	if err != nil {
		return false, err
	}
	defer left()
	if pinned, err := v.pin(ctx, c); !pinned {
		return false, err
	}
	defer v.unpin(c)
	v.mu.Lock()
	base, version := c.base()
	names := v.pending.inherited(c)
	v.mu.Unlock()
	if base == cache.BaseAbsent && len(names) == 0 {
		if err := v.dropStale(c); err != nil {
			return false, err
		}
		if err := v.store.Drop(c.rec.ID, v.durability()); err != nil {
			return false, err
		}
		v.mu.Lock()
		defer v.mu.Unlock()
		v.retire(c)
		return true, nil
	}
	// The removal is recorded even if there is nothing to remove: if the old record cannot be
	// dropped, the next process must find a newer one of the name.
	rec, err := v.store.Add(ctx, cache.Record{
		Kind: cache.Removed, Name: c.rec.Name, Removes: names, Base: base, BaseVersion: version,
	}, v.durability())
	if err != nil {
		return false, err
	}
	next := newChange(rec, v.dueNow())
	v.mu.Lock()
	v.replace(next, c)
	v.mu.Unlock()
	v.dropOld(next, c)
	return true, nil
}

func (v *Tree) removeThere(ctx context.Context, name string) error {
	err := v.doubts.ask(ctx, func(ctx context.Context) error { return v.remote.Remove(ctx, name) }, name)
	if err == nil || errors.Is(err, remote.ErrNotExist) {
		v.supersedeLost(ctx, name)
	}
	v.noteRemoteChange(name)
	return err
}

// Hash implements remote.Hasher. The digest of a pending file is unknown.
func (v *Tree) Hash(ctx context.Context, name, algorithm string) ([]byte, error) {
	if err := v.check(ctx, "hash", name); err != nil {
		return nil, err
	}
	switch st, c := v.look(name); {
	case st == isFile || st == isMoved:
		return nil, pathError("hash", name, remote.ErrUnsupported)
	case st == isDeleted || st == underFile:
		return nil, pathError("hash", name, remote.ErrNotExist)
	case st == isDir && c != nil:
		return nil, pathError("hash", name, remote.ErrIsDir)
	}
	return remote.Hash(ctx, v.remote, name, algorithm)
}

// Usage implements remote.Usager: pending files count as stored.
func (v *Tree) Usage(ctx context.Context) (remote.Usage, error) {
	u, err := remote.GetUsage(ctx, v.remote)
	if err != nil {
		return u, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if u.Free >= 0 {
		u.Free = max(u.Free-v.pending.bytes, 0)
	}
	return u, nil
}
