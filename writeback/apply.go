package writeback

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"time"

	"ferry/cache"
	"ferry/remote"
)

// attempt applies c under the context cancellable, which is cancelled when c is superseded, and
// records the result.
func (v *Tree) attempt(ctx, cancellable context.Context, c *change) {
	v.mu.Lock()
	names := append([]string{c.rec.Name}, c.rec.Removes...)
	slot := c.run.slot
	v.mu.Unlock()
	r := v.doubts.request(c.rec.Seq, names...).begin()
	defer r.end()
	v.tell.settleNow(cancellable, names...)
	cancellable = remote.WithCongested(cancellable, slot.congested)
	err := v.apply(r.watch(cancellable), c)
	if err == nil {
		err = v.sendNewTime(r.watch(cancellable), c)
	}
	v.finishAttempt(r.watch(ctx), c, err)
}

// apply applies c to the remote. Steps that succeeded are not repeated by the next attempt.
func (v *Tree) apply(ctx context.Context, c *change) error {
	v.mu.Lock()
	rec, applied, aside := c.rec, c.isApplied, c.aside
	superseded := applied && v.pending.newest(rec.Name) != c
	c.released = c.released || superseded
	v.mu.Unlock()
	switch {
	case superseded: // the newer change is rechecked, if necessary
		return nil
	case applied: // one last time if it was released
		return v.recheck(ctx, c, rec)
	case aside:
		return errAside
	}
	if err := v.applyOwn(ctx, c, rec); err != nil {
		return err
	}
	for _, name := range rec.Removes {
		if name == rec.Source || !v.stillRemoves(c, name) {
			continue
		}
		if err := v.removeLeft(ctx, c, rec, name); err != nil {
			return err
		}
	}
	return nil
}

// applyOwn applies c to its own name.
func (v *Tree) applyOwn(ctx context.Context, c *change, rec cache.Record) error {
	switch rec.Kind {
	case cache.File:
		return v.sendFile(ctx, c, rec)
	case cache.Removed:
		if rec.Base == cache.BaseAbsent {
			return nil
		}
		return v.removeOwn(ctx, c, rec)
	case cache.Moved:
		return v.moveOne(ctx, c, rec)
	}
	// Directories are not rechecked.
	if err := v.doubts.await(ctx, rec.Name); err != nil {
		return err
	}
	if rec.Kind == cache.RemovedDir {
		return v.removeDir(ctx, rec.Name)
	}
	return v.makeDir(ctx, rec.Name)
}

// stillRemoves reports whether c is the newest change of name. A newer one is applied after it.
func (v *Tree) stillRemoves(c *change, name string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	newest := v.pending.newest(name)
	return newest == c || newest == nil
}

// finishAttempt ends an attempt. From when it is settled that c ends, callers who want to change c
// wait: nothing is asked of the remote then for longer than a client waits.
func (v *Tree) finishAttempt(ctx context.Context, c *change, err error) {
	kept, shown := false, showsNothing
	calledOff := err == errPreempted || errors.Is(err, errSuspended) // which tells nothing of the remote
	switch {
	case err == nil:
		shown = succeeded
	case ctx.Err() == nil && isFailure(err) && !calledOff && err != errAside && !errors.Is(err, errSuperseded):
		shown = unanswered
	}
	v.mu.Lock()
	slot := c.run.slot
	v.mu.Unlock()
	switch {
	case err == nil:
		kept, err = v.noteApplied(ctx, c)
	case ctx.Err() == nil && final(c, err):
		err = v.reject(ctx, c, err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.running--
	slot.end(shown, c.bytes())
	v.done++
	c.ending = false
	v.signal()
	if c.dead {
		v.detach(c)
		return
	}
	c.run = nil
	switch {
	case kept:
		v.clearCause(c)
		v.queue.unblock(c)
	case calledOff, err == errNewTime:
		c.due = time.Now()
	case ctx.Err() == nil:
		v.postpone(ctx, c, err)
	}
	v.queue.unblockOlder(c)
	v.queue.push(c)
}

// errNewTime is the error of an attempt during whose last step the time of its file was changed.
var errNewTime = errors.New("the time was changed")

// noteApplied records that c has been applied. c is kept if it must be rechecked; an error means
// that it must be applied again.
func (v *Tree) noteApplied(ctx context.Context, c *change) (kept bool, err error) {
	v.breaker.Reset()
	if until := v.inDoubt(c); !until.IsZero() {
		return v.keepApplied(ctx, c, until)
	}
	if !v.commitTo(ctx, c) {
		v.tellReplaced(ctx, c)
		return false, nil
	}
	if c.hasNewTime() {
		return false, errNewTime
	}
	if err := v.tellStored(ctx, c); err != nil {
		return false, err
	}
	if err := v.watchFreed(ctx, c); err != nil {
		return false, err
	}
	if err := v.dropStale(c); err != nil {
		return false, err
	}
	if err := v.forgetRecord(c); err != nil {
		return false, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.retire(c)
	v.detach(c)
	return false, nil
}

// forgetRecord drops the record of c, so that it does not reappear.
func (v *Tree) forgetRecord(c *change) error {
	err := v.store.Done(c.rec.ID, fingerprint(c.stored), v.mode == Full)
	if errors.Is(err, fs.ErrNotExist) { // an earlier attempt dropped it
		err = nil
		if c.unsure {
			err = v.store.Sync()
		}
	}
	c.unsure = err != nil
	return err
}

// reject moves a change that the remote will never accept to lost/.
func (v *Tree) reject(ctx context.Context, c *change, reason error) error {
	if !v.commitTo(ctx, c) {
		return nil
	}
	if err := v.tell.refused(ctx, c.rec, reason); err != nil {
		c.refusal = reason
		return err
	}
	if err := v.dropStale(c); err != nil {
		return err
	}
	if reason != errAside {
		v.noteBase(ctx, c)
	}
	failErr := v.store.Fail(c.rec.ID, reason)
	if failErr != nil && !errors.Is(failErr, fs.ErrNotExist) {
		return failErr
	}
	v.names.Invalidate(c.rec.Name)
	what := "the remote refused a file for good: it is kept in the cache, see ferry cache ls"
	if c.rec.Kind != cache.File {
		what = "the remote refused a change for good, see ferry cache ls"
	}
	if reason == errAside {
		what = "a file is not sent to the remote: it is kept in the cache, see ferry cache ls"
	}
	v.log.LogAttrs(ctx, slog.LevelError, what, slog.String("path", c.rec.Name), slog.String("change", c.rec.Kind.String()),
		slog.Any("error", reason))
	v.mu.Lock()
	defer v.mu.Unlock()
	c.err = reason
	v.retire(c)
	v.detach(c)
	if failErr == nil && !errors.As(reason, new(*contentError)) {
		v.refuse(c, reason.Error())
	}
	return nil
}

// postpone schedules the next attempt of c.
// LOCKS_REQUIRED(v.mu)
func (v *Tree) postpone(ctx context.Context, c *change, err error) {
	c.tries++
	c.delay = c.delayAfter(err)
	c.due = time.Now().Add(c.delay)
	v.recordCause(ctx, c, err)
	v.pending.fail(c, err)
}

// detach records that the run of the dead change c has ended.
// LOCKS_REQUIRED(v.mu)
func (v *Tree) detach(c *change) {
	if c.run == nil {
		return
	}
	c.run = nil
	v.pending.detach(c)
	v.queue.unblock(c)
}
