package writeback

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"ferry/cache"
	"ferry/remote"
)

// The delay before the next attempt to apply a change: the first, the longest, and the random
// share.
const (
	firstDelay = time.Second
	maxDelay   = time.Minute
)

// backoff returns the delay after tries failed attempts.
func backoff(tries int) time.Duration {
	d := maxDelay
	if tries < 7 {
		d = min(firstDelay<<(tries-1), maxDelay)
	}
	return d/2 + rand.N(d/2)
}

// Run implements Pending.
func (v *Tree) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	kept := make(chan error, 1)
	go func() {
		err := v.store.Run(ctx)
		if err != nil {
			cancel() // a store without maintenance is not relied on
		}
		kept <- err
	}()
	err := v.run(ctx)
	cancel()
	return errors.Join(err, <-kept)
}

// run applies pending changes, several at a time, until ctx ends. Attempts in progress are then
// cancelled, and their changes stay pending.
func (v *Tree) run(ctx context.Context) error {
	var running sync.WaitGroup
	defer v.waitLateCalls()
	defer running.Wait()
	running.Go(func() { v.retryLost(ctx) })
	running.Go(func() { v.uploads.abortLeft(ctx, v.remote) })
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		if next, waits := v.startDue(ctx, &running); waits {
			timer.Reset(time.Until(next))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-v.wake:
		case <-timer.C:
		}
	}
}

// signal wakes run.
func (v *Tree) signal() {
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

// startDue starts attempts for due changes, as far as transfers are free, and returns when the next
// change is due.
func (v *Tree) startDue(ctx context.Context, running *sync.WaitGroup) (next time.Time, waits bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.queue.settle(batch) {
		v.signal()
	}
	for blocked := 0; v.running < v.transfers; {
		c, next, waits := v.queue.pop(time.Now(), v.runningLarge < v.transfers-v.reserved())
		if c == nil {
			return next, waits
		}
		if before := v.pending.conflicting(c); before != nil {
			v.queue.block(c, before)
			if blocked++; blocked == batch { // let others have the lock
				v.signal()
				break
			}
			continue
		}
		attempt, cancel := context.WithCancelCause(ctx)
		c.run, c.begun = &run{cancel}, true
		v.running++
		if c.large() {
			v.runningLarge++
		}
		running.Go(func() {
			defer cancel(nil)
			v.attempt(ctx, attempt, c)
		})
	}
	return time.Time{}, false
}

// reserved returns how many transfers are reserved for small and urgent changes: one in four, none
// if there is only one.
func (v *Tree) reserved() int {
	if v.transfers == 1 {
		return 0
	}
	return max(1, v.transfers/4)
}

// attempt applies c under the context cancellable, which is cancelled when c is superseded, and
// records the result.
func (v *Tree) attempt(ctx, cancellable context.Context, c *change) {
	v.mu.Lock()
	names := append([]string{c.rec.Name}, c.rec.Removes...)
	v.mu.Unlock()
	r := v.doubts.request(c.rec.Seq, names...).begin()
	defer r.end()
	v.finishAttempt(r.watch(ctx), c, v.apply(r.watch(cancellable), c))
}

// finishAttempt ends an attempt.
func (v *Tree) finishAttempt(ctx context.Context, c *change, err error) {
	kept := false
	switch {
	case err == nil:
		kept, err = v.noteApplied(ctx, c)
	case ctx.Err() == nil && final(c, err):
		err = v.reject(ctx, c, err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.running--
	if c.large() {
		v.runningLarge--
	}
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
	case err == errPreempted:
		c.due = time.Now()
	case ctx.Err() == nil:
		v.postpone(ctx, c, err)
	}
	v.queue.unblockOlder(c)
	v.queue.push(c)
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

// noteApplied records that c has been applied. c is kept if it must be rechecked; an error means
// that it must be applied again.
func (v *Tree) noteApplied(ctx context.Context, c *change) (kept bool, err error) {
	v.breaker.Reset()
	if until := v.inDoubt(c); !until.IsZero() {
		return v.keepApplied(ctx, c, until)
	}
	if !v.commitTo(ctx, c) {
		return false, nil
	}
	if c.rec.Kind == cache.File && !c.rec.ModTime.Equal(c.sentTime) {
		if err := v.sendTime(ctx, c); err != nil {
			return false, err
		}
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

func fingerprint(e remote.Entry) cache.Fingerprint {
	return cache.Fingerprint{Version: e.Version, Size: e.Size, ModTime: e.ModTime}
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

// reject moves a change that the remote will never accept to lost/.
func (v *Tree) reject(ctx context.Context, c *change, reason error) error {
	if !v.commitTo(ctx, c) {
		return nil
	}
	if err := v.dropStale(c); err != nil {
		return err
	}
	v.noteBase(ctx, c)
	failErr := v.store.Fail(c.rec.ID, reason)
	if failErr != nil && !errors.Is(failErr, fs.ErrNotExist) {
		return failErr
	}
	v.names.Invalidate(c.rec.Name)
	what := "the remote refused a file for good: it is kept in the cache, see ferry cache ls"
	if c.rec.Kind != cache.File {
		what = "the remote refused a change for good, see ferry cache ls"
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

// fail notifies the callers that wait for c, or for a change blocked by it, that an attempt has
// failed.
func (p *pending) fail(c *change, err error) {
	if !c.dead {
		p.last = err
		if c.failed == nil {
			p.failed++
		}
	}
	c.urgent = false
	c.failed = err
	close(c.tried)
	c.tried = make(chan struct{})
	for _, other := range c.waiting {
		if other.urgent {
			p.fail(other, err)
		}
	}
}
