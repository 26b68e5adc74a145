package writeback

import (
	"context"
	"errors"
	"slices"
	"time"

	"ferry/breaker"
	"ferry/cache"
	"ferry/remote"
)

// A change of a file that is not pending is made on the remote while the client waits. If the
// remote does not answer in time, the change becomes a pending record, like an upload; so does
// every other change while the remote is away. The unanswered call is cancelled, and may still wait
// for its answer: until then it counts as an attempt to apply the record, so that no later change
// overtakes it.

// errNotRecorded means that a change cannot be recorded, because too little is known about its
// names.
var errNotRecorded = errors.New("not enough is known here")

// errPreempted is the error of an attempt that enqueueRecord cancelled: it proves nothing about the
// remote, and the next attempt is made at once.
var errPreempted = errors.New("called off")

// A lateChange is a change that may become a record.
type lateChange struct {
	call func(context.Context) error         // makes it on the remote
	keep func(context.Context) (kept, error) // makes a record of it
	long bool                                // the call may take long by nature
}

// A kept is the record that was made of a change.
type kept struct {
	change *change
	old    []*change // superseded by it; they are pinned
	free   func()    // unpins them
}

// newKept returns a record that supersedes none.
func newKept(rec cache.Record) kept {
	return kept{change: newChange(rec, rec.Committed), free: func() {}}
}

// applyOrRecordOnce is applyOrRecord for a change of names that cannot be repeated. While the names
// are in doubt, the change waits as a record or, if there cannot be one, with its client.
func (v *Tree) applyOrRecordOnce(ctx context.Context, l lateChange, names ...string) error {
	inDoubt := v.doubts.pause(names) > 0
	if inDoubt || !v.breaker.Closed() {
		if err := v.recordOnly(ctx, l.keep); !errors.Is(err, errNotRecorded) {
			return err
		}
	}
	if inDoubt {
		return l.call(ctx)
	}
	return v.applyOrRecord(ctx, l)
}

// applyOrRecord makes a change on the remote, or a record of it if the remote does not answer in
// time.
func (v *Tree) applyOrRecord(ctx context.Context, l lateChange) error {
	a := ask(ctx, l.call)
	switch v.wait(ctx, a, l.long) {
	case answered:
		if a.err == nil || isAnswer(a.err) || ctx.Err() != nil || v.breaker.Alive(ctx, v.breaker.Wait()/2) {
			v.breaker.Reset()
			return a.err
		}
		v.breaker.Trip()
	case silent:
		v.breaker.Trip()
	}
	k, err := l.keep(ctx)
	if err == nil {
		v.enqueueRecord(k, a)
		return nil
	}
	if lateCall := a.finish(ctx); lateCall == nil || errors.Is(err, errNotRecorded) {
		return lateCall
	}
	return err
}

// recordOnly makes a record of a change without a call of the remote.
func (v *Tree) recordOnly(ctx context.Context, keep func(context.Context) (kept, error)) error {
	k, err := keep(ctx)
	if err == nil {
		v.enqueueRecord(k, nil)
	}
	return err
}

// isAnswer reports whether err is an answer of the remote, rather than a failure to get one.
func isAnswer(err error) bool { return remote.Permanent(err) && !errors.Is(err, context.Canceled) }

// enqueueRecord makes the change of a record pending. If a is not nil, it is the call already made
// for it, which may not have returned yet.
func (v *Tree) enqueueRecord(k kept, a *lateCall) {
	defer k.free()
	v.mu.Lock()
	if a != nil {
		k.change.run, k.change.begun = &run{cancel: a.cancel}, true
		v.running++
		v.late = append(slices.DeleteFunc(v.late, (*lateCall).isSettled), a)
		a.cancel(breaker.ErrSilent)
		go v.attachCall(k.change, a)
	}
	v.replace(k.change, k.old...)
	v.mu.Unlock()
	v.dropOld(k.change, k.old...)
}

// attachCall records the result of a call that was made before its change c.
func (v *Tree) attachCall(c *change, a *lateCall) {
	defer close(a.settled)
	<-a.done
	ctx := context.Background()
	switch {
	case a.err == nil, c.rec.Kind != cache.Moved && c.rec.Kind != cache.Dir && errors.Is(a.err, remote.ErrNotExist):
		v.mu.Lock()
		c.sent = true
		v.mu.Unlock()
		v.finishAttempt(ctx, c, nil)
	case isAnswer(a.err):
		v.finishAttempt(ctx, c, breaker.ErrSilent) // the next attempt will show more
	case errors.Is(a.err, breaker.ErrSilent): // it may not have waited for the remote
		v.finishAttempt(ctx, c, errPreempted)
	default:
		v.finishAttempt(ctx, c, a.err)
	}
}

// A lateCall is a call of the remote that makes a change, and may outlive its client.
type lateCall struct {
	cancel  context.CancelCauseFunc
	done    chan struct{} // closed when the call has returned
	err     error         // what it returned; read after done
	settled chan struct{} // closed when the record has the result, if there is a record
}

func ask(ctx context.Context, call func(context.Context) error) *lateCall {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	a := &lateCall{cancel: cancel, done: make(chan struct{}), settled: make(chan struct{})}
	go func() {
		defer close(a.done)
		defer cancel(nil)
		a.err = call(ctx)
	}()
	return a
}

// An outcome is the state of a lateCall when its caller stops waiting.
type outcome uint8

const (
	answered outcome = iota
	slow             // no answer, but the remote answers other calls
	silent           // the remote gives no sign of life
)

// wait waits for the answer, as long as for a query with a fallback. With long, it waits as long as
// the remote gives other signs of life.
func (v *Tree) wait(ctx context.Context, a *lateCall, long bool) outcome {
	half := v.breaker.Wait() / 2
	for {
		if a.finishedWithin(ctx, half) {
			return answered
		}
		alive := v.breaker.Alive(ctx, half)
		switch {
		case ctx.Err() != nil || a.isDone():
			_ = a.finish(ctx)
			return answered
		case !alive:
			return silent
		case !long && a.finishedWithin(ctx, half):
			return answered
		case !long:
			return slow
		}
	}
}

// finishedWithin waits for the end of the call or of ctx, d at most, and reports whether it came.
func (a *lateCall) finishedWithin(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-a.done:
	case <-ctx.Done():
		_ = a.finish(ctx)
	case <-timer.C:
		return false
	}
	return true
}

// finish waits for the end of the call, which ctx may cancel.
func (a *lateCall) finish(ctx context.Context) error {
	select {
	case <-a.done:
	case <-ctx.Done():
		a.cancel(context.Cause(ctx))
		<-a.done
	}
	return a.err
}

func (a *lateCall) isDone() bool {
	select {
	case <-a.done:
		return true
	default:
		return false
	}
}

func (a *lateCall) isSettled() bool {
	select {
	case <-a.settled:
		return true
	default:
		return false
	}
}
