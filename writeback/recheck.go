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

// A change of a name in doubt, once applied, stays in the queue with its content: until the doubt
// is over, the remote is rechecked from time to time, and if a late request has undone the change,
// it is applied again.

// firstRecheck is the delay before an applied change is first rechecked; it doubles each time.
const firstRecheck = time.Second

// inDoubt returns until when a late request may still undo c. A rename cannot be repeated: it was
// delayed until the doubt was small. Directories are not rechecked: while one is pending, the
// remote is assumed not to have it. A late request can only remove one while it is empty, and then
// it is created again for the next file in it.
func (v *Tree) inDoubt(c *change) (until time.Time) {
	v.mu.Lock()
	rec, released := c.rec, c.released
	v.mu.Unlock()
	if released || rec.Kind == cache.Dir || rec.Kind == cache.RemovedDir || rec.Kind == cache.Moved {
		return time.Time{}
	}
	return v.doubts.about(rec.Seq, append([]string{rec.Name}, rec.Removes...)...)
}

// keepApplied keeps c for rechecks, and releases the callers that wait until it is applied. It
// returns false if c was superseded meanwhile.
func (v *Tree) keepApplied(ctx context.Context, c *change, until time.Time) (kept bool, err error) {
	splits := len(c.rec.Removes) > 0 || c.rec.Recovered && !c.isApplied
	if splits || v.tell.tellsStored(c.rec) {
		if !v.commitTo(ctx, c) {
			return false, nil
		}
		if err := v.tellStored(ctx, c); err != nil {
			return false, err
		}
	}
	if splits {
		if err := v.splitRemovals(ctx, c, until); err != nil {
			return false, err
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.pending.clearFailure(c)
	c.keepUntil(until)
	v.pending.edits++
	return true, nil
}

// keepUntil makes c an applied change, or extends one.
func (c *change) keepUntil(until time.Time) {
	if !c.isApplied {
		c.isApplied = true
		close(c.applied)
	}
	c.ending, c.begun = false, true
	c.tries, c.urgent = 0, false
	c.due = time.Now().Add(firstRecheck << min(c.checks, 20))
	c.checks++
	if c.due.After(until) {
		c.due = until
	}
	if c.sent && c.hasNewTime() {
		c.due = time.Now()
	}
}

// splitRemovals makes separate changes of the removals that c includes: an applied change concerns
// its own name alone. Otherwise later changes of the removed names would be applied while c is
// still rechecked, and would be undone with it. The record of c is written durably: after a loss of
// power, a recovered record may lack its last change, and it stays long after the remote has that
// change. The record of a rename is about to be dropped, and keeps its removals: until then it
// blocks later changes of those names.
func (v *Tree) splitRemovals(ctx context.Context, c *change, until time.Time) error {
	removals, err := v.keepRemovals(ctx, c)
	if err != nil {
		return err
	}
	if c.rec.Kind != cache.Moved {
		rec := c.rec
		rec.Removes = nil
		v.locked(func() { rec.Sent = v.sentOf(rec, c.over, nil) })
		if rec.FactsOf != "" {
			rec.FactsOf = rec.Name // it was sent
		}
		if _, err := v.store.Update(ctx, rec, cache.Durable); err != nil {
			return err
		}
	}
	return v.watch(c, removals, until)
}

// keepRemovals makes records of the removals that c includes. They keep its place in the order:
// files that are being stored under those names now follow them.
func (v *Tree) keepRemovals(ctx context.Context, c *change) (removals []*change, err error) {
	v.mu.Lock()
	names := v.pending.inherited(c)
	v.mu.Unlock()
	for _, name := range names {
		rec, left := cache.Record{Kind: cache.Removed, Name: name, Seq: c.rec.Seq}, expectation{}
		v.locked(func() {
			if name != c.rec.Source { // what was renamed may be renamed back by another node
				left = c.left[v.pending.keyOf(name)].without(c)
			}
			rec.Sent = v.sentOf(rec, left, nil)
		})
		rec, err := v.store.Add(ctx, rec, v.durability())
		if err != nil {
			return nil, err
		}
		removal := newChange(rec, rec.Committed)
		removal.over = left
		removals = append(removals, removal)
	}
	return removals, nil
}

// watch keeps removals, which were part of c and are applied, for rechecks. A file stored under one
// of the names meanwhile waits for c, and must not be removed after it: that removal is dropped.
func (v *Tree) watch(c *change, removals []*change, until time.Time) error {
	for {
		v.mu.Lock()
		i := slices.IndexFunc(removals, func(r *change) bool { return v.pending.newest(r.rec.Name) != c })
		if i < 0 {
			break
		}
		v.mu.Unlock()
		if err := v.store.Drop(removals[i].rec.ID, cache.Durable); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		removals = slices.Delete(removals, i, i+1)
	}
	defer v.mu.Unlock()
	for _, r := range removals {
		r.keepUntil(until)
		r.first = c.first
		v.pending.add(r)
		v.queue.push(r)
	}
	if c.rec.Kind != cache.Moved {
		v.pending.dropRemovals(c)
	}
	return nil
}

// recheck checks whether the remote still has the result of c, and applies c again if not. If that
// cannot be determined, c is applied again when the doubt is over.
func (v *Tree) recheck(ctx context.Context, c *change, rec cache.Record) error {
	last := v.inDoubt(c).IsZero()
	switch rec.Kind {
	case cache.File:
		same, known, err := v.stillStored(ctx, c, rec)
		if err != nil {
			return err
		}
		if !same && (known || last) {
			if known && v.isReplaced(ctx, c, rec) {
				v.locked(func() { c.sentTime = rec.ModTime }) // which is not that file's
				return nil
			}
			if known {
				v.logUndone(ctx, rec.Name)
			}
			c.sent = false
			return v.sendFile(ctx, c, rec)
		}
		if !rec.ModTime.Equal(c.sentTime) {
			return v.sendTime(ctx, c)
		}
	case cache.Removed:
		return v.removeAgain(ctx, c, rec)
	}
	return nil
}

// sendNewTime sets the time of the file that c has sent, if that was changed meanwhile. What is in
// doubt is looked at first, by recheck.
func (v *Tree) sendNewTime(ctx context.Context, c *change) error {
	v.mu.Lock()
	changed := c.hasNewTime()
	v.mu.Unlock()
	if !changed || !v.inDoubt(c).IsZero() {
		return nil
	}
	return v.sendTime(ctx, c)
}

// isReplaced reports whether another node has replaced the content of c, where such a file is to
// stay: what a late request of this node makes is not that.
func (v *Tree) isReplaced(ctx context.Context, c *change, rec cache.Record) bool {
	if v.conflict != KeepBoth {
		return false
	}
	e, err := v.remote.Stat(ctx, rec.Name)
	v.mu.Lock()
	x := c.over
	v.mu.Unlock()
	return err == nil && !e.Dir && !v.ours(x, e, rec.Committed)
}

// watchRemoved keeps rechecks of the names in doubt at or below name, which were just removed on
// the remote.
func (v *Tree) watchRemoved(ctx context.Context, name string) error {
	if !v.canRecord() {
		return nil
	}
	names, until := v.doubts.within(name)
	for _, name := range names {
		rec, err := v.store.Add(ctx, cache.Record{Kind: cache.Removed, Name: name}, v.durability())
		if err != nil {
			return err
		}
		if !v.watchRemoval(ctx, rec, until) {
			return v.store.Drop(rec.ID, v.durability())
		}
	}
	return nil
}

// watchFreed keeps rechecks of the names in doubt that the applied rename c has freed. c cannot be
// changed any more.
func (v *Tree) watchFreed(ctx context.Context, c *change) error {
	if c.rec.Kind != cache.Moved {
		return nil
	}
	until := v.doubts.about(c.rec.Seq, c.rec.Removes...)
	if until.IsZero() {
		return nil
	}
	return v.splitRemovals(ctx, c, until)
}

// watchRemoval keeps an applied removal for rechecks; it returns false if ctx has ended: then other
// changes may have been made since.
func (v *Tree) watchRemoval(ctx context.Context, rec cache.Record, until time.Time) bool {
	c := newChange(rec, rec.Committed)
	v.mu.Lock()
	defer v.mu.Unlock()
	if ctx.Err() != nil {
		return false
	}
	c.keepUntil(until)
	v.replace(c)
	return true
}

// removeAgain removes a file that has reappeared.
func (v *Tree) removeAgain(ctx context.Context, c *change, rec cache.Record) error {
	name := rec.Name
	if v.conflict == KeepBoth {
		return v.removeOwn(ctx, c, rec)
	}
	e, err := v.remote.Stat(ctx, name)
	switch {
	case errors.Is(err, remote.ErrNotExist), errors.Is(err, remote.ErrNotDir), err == nil && e.Dir:
		return nil
	case err != nil:
		return err
	}
	v.logUndone(ctx, name)
	return v.removeOne(ctx, name)
}

// stillStored reports whether the remote has the content of c, and whether that is known.
func (v *Tree) stillStored(ctx context.Context, c *change, rec cache.Record) (same, known bool, err error) {
	e, err := v.remote.Stat(ctx, rec.Name)
	switch {
	case errors.Is(err, remote.ErrNotExist), errors.Is(err, remote.ErrNotDir):
		return false, true, nil
	case err != nil:
		return false, false, err
	case e.Dir || e.Size >= 0 && e.Size != rec.Size:
		return false, true, nil
	case e.Version != "" && c.stored.Version != "":
		return e.Version == c.stored.Version, true, nil
	}
	same, known = v.hasContent(ctx, rec, e)
	return same, known, nil
}
