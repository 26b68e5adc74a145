package writeback

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"time"

	"ferry/cache"
)

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

// revive makes the refused change c pending again, for a caller that is about to change it.
// Afterwards another change determines the state of the name, or none does. The caller has locked
// the name.
func (v *Tree) revive(c *change) error {
	rec, err := v.store.Retry(c.rec.ID)
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case c.dead:
	case err == nil:
		v.replace(newChange(rec, v.dueNow()), c)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrExist): // dropped, or superseded
		v.retire(c)
	default:
		return err
	}
	delete(v.refused, c.rec.ID)
	return nil
}

func (v *Tree) unpin(c *change) {
	v.mu.Lock()
	defer v.mu.Unlock()
	close(c.pinned)
	c.pinned = nil
	v.queue.push(c)
	v.signal()
}

// commitTo waits until c is not pinned, and from then on prevents it from being pinned. It returns
// false if c was superseded, or if ctx ended before.
func (v *Tree) commitTo(ctx context.Context, c *change) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	for !c.dead && c.pinned != nil {
		changing := c.pinned
		v.mu.Unlock()
		select {
		case <-changing:
		case <-ctx.Done(): // the caller that pinned it may wait for something that needs run
		}
		v.mu.Lock()
		if ctx.Err() != nil {
			return false
		}
	}
	c.ending = !c.dead
	return c.ending
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
	v.expectAfter(next, old...)
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

// expectAfter gives next what the changes that it supersedes have left.
// LOCKS_REQUIRED(v.mu)
func (v *Tree) expectAfter(next *change, old ...*change) {
	key := v.pending.keyOf(next.rec.Name)
	if n := v.pending.newest(next.rec.Name); n != nil && n != next && v.pending.keyOf(n.rec.Name) != key {
		if x, ok := n.left[key]; ok { // the file of that name was renamed, and is to be removed
			next.over = x
		}
	}
	for _, c := range old {
		mine := v.pending.keyOf(c.rec.Name)
		if mine == key {
			next.over = c.leaves()
		} else {
			next.leave(mine, c.leaves())
		}
		for name, x := range c.left {
			if name != key {
				next.leave(name, x)
			}
		}
	}
	if next.rec.Kind == cache.Moved {
		next.leave(v.pending.keyOf(next.rec.Source), expectation{})
	}
}

// sentBefore returns what the record rec of a change that is to supersede old, some of which may be
// nil, says of what was sent before it. left, which may be nil, is what is known so far of names
// that it removes.
// LOCKS_REQUIRED(v.mu)
func (v *Tree) sentBefore(rec cache.Record, left map[string]expectation, old ...*change) []cache.Sent {
	old = slices.DeleteFunc(old, func(c *change) bool { return c == nil })
	if v.conflict != KeepBoth || left == nil && len(old) == 0 && v.pending.newest(rec.Name) == nil {
		return nil
	}
	rec.Seq = ^uint64(0) // all others are older
	next := change{rec: rec, over: expect(rec), left: maps.Clone(left)}
	for _, c := range v.pending.appliedBefore(&next) {
		if !slices.Contains(old, c) {
			old = append(slices.Clip(old), c)
		}
	}
	v.expectAfter(&next, old...)
	return v.sentOf(rec, next.over, next.left)
}

// sentOf returns what a record says of what the remote may have under its name, and under those
// that it removes.
// LOCKS_REQUIRED(v.mu)
func (v *Tree) sentOf(rec cache.Record, over expectation, left map[string]expectation) (all []cache.Sent) {
	if v.conflict != KeepBoth {
		return nil
	}
	if over.version == rec.BaseVersion {
		over.base = cache.BaseUnknown // rec says it already
	}
	all = over.sent(all, "")
	for _, name := range rec.Removes {
		key := v.pending.keyOf(name)
		all = left[key].sent(all, key)
	}
	return all
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

// dropStale drops the superseded records that could not be dropped before.
func (v *Tree) dropStale(c *change) error {
	v.mu.Lock()
	stale := c.stale
	v.mu.Unlock()
	for _, id := range stale {
		if err := v.store.Drop(id, v.durability()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	v.mu.Lock()
	c.stale = nil
	v.mu.Unlock()
	return nil
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

// canRecord reports whether changes other than uploads may be pending.
func (v *Tree) canRecord() bool { return v.mode != Minimal && v.ack != AckRemote }
