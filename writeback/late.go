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

// A change of what is on the remote is made there while the client waits. Where the remote does not
// answer in time the change becomes a record, and waits like an upload; so does every other as long
// as the remote is away. The call that was not answered is cancelled, and may still wait for its
// answer: as long as it does, it counts as an attempt to carry out the record, so that nothing that
// comes later overtakes it.

// keepsChanges reports whether changes may wait for the remote.
func (v *Tree) keepsChanges() bool { return v.mode != Minimal && v.ack != AckRemote }

// errNotKept means that a change cannot wait, because too little is known of what it is about.
var errNotKept = errors.New("not enough is known here")

// errCalledOff is how an attempt ended that queueUp has called off: it says nothing of the remote,
// and the next one is made at once.
var errCalledOff = errors.New("called off")

// An asked is a change that the remote was asked for.
type asked struct {
	cancel context.CancelCauseFunc
	done   chan struct{} // closed when the call has returned
	err    error         // what it returned; read after done
	over   chan struct{} // closed when the record knows of it, once there is one
}

func ask(ctx context.Context, call func(context.Context) error) *asked {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	a := &asked{cancel: cancel, done: make(chan struct{}), over: make(chan struct{})}
	go func() {
		defer close(a.done)
		defer cancel(nil)
		a.err = call(ctx)
	}()
	return a
}

// finish waits for the end of the call, which ctx may cancel.
func (a *asked) finish(ctx context.Context) error {
	select {
	case <-a.done:
	case <-ctx.Done():
		a.cancel(context.Cause(ctx))
		<-a.done
	}
	return a.err
}

func (a *asked) isOver() bool {
	select {
	case <-a.over:
		return true
	default:
		return false
	}
}

// An answer says what has come of an asked.
type answer uint8

const (
	answered answer = iota
	slow            // not this one, but the remote answers others
	silent          // the remote gives no sign of life
)

// wait waits for the answer, as long as a question that has another answer would be waited for. A
// call that may take long by its nature is waited for as long as the remote gives other signs of
// life.
func (v *Tree) wait(ctx context.Context, a *asked, long bool) answer {
	half := v.breaker.Wait() / 2
	for {
		if a.within(ctx, half) {
			return answered
		}
		alive := v.breaker.Alive(ctx, half)
		switch {
		case ctx.Err() != nil || a.isDone():
			_ = a.finish(ctx)
			return answered
		case !alive:
			return silent
		case !long && a.within(ctx, half):
			return answered
		case !long:
			return slow
		}
	}
}

// within waits for the end of the call or of ctx, but not longer than d.
func (a *asked) within(ctx context.Context, d time.Duration) bool {
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

func (a *asked) isDone() bool {
	select {
	case <-a.done:
		return true
	default:
		return false
	}
}

// A lateChange is a change that may wait.
type lateChange struct {
	call func(context.Context) error         // makes it on the remote
	keep func(context.Context) (kept, error) // makes a record of it
	long bool                                // the call may take long by its nature
}

// kept is a record that was made of a change.
type kept struct {
	change *change
	old    []*change // whose place it takes; they are pinned
	free   func()    // lets them go
}

// thereOrHere makes a change on the remote, and where that does not answer in time a record of it.
func (v *Tree) thereOrHere(ctx context.Context, l lateChange) error {
	a := ask(ctx, l.call)
	switch v.wait(ctx, a, l.long) {
	case answered:
		if a.err == nil || isSaid(a.err) || ctx.Err() != nil || v.breaker.Alive(ctx, v.breaker.Wait()/2) {
			v.breaker.Reset()
			return a.err
		}
		v.breaker.Trip()
	case silent:
		v.breaker.Trip()
	}
	k, err := l.keep(ctx)
	if err == nil {
		v.queueUp(k, a)
		return nil
	}
	if asked := a.finish(ctx); asked == nil || errors.Is(err, errNotKept) {
		return asked
	}
	return err
}

// isSaid tells an error with which the remote has answered from one on the way.
func isSaid(err error) bool { return remote.Permanent(err) && !errors.Is(err, context.Canceled) }

// queueUp has a record wait. Where a is not nil the remote was asked for it already, and may not
// have answered yet.
func (v *Tree) queueUp(k kept, a *asked) {
	defer k.free()
	v.mu.Lock()
	if a != nil {
		k.change.run, k.change.begun = &run{a.cancel}, true
		v.running++
		v.late = append(slices.DeleteFunc(v.late, (*asked).isOver), a)
		a.cancel(breaker.ErrSilent)
		go v.adopt(k.change, a)
	}
	v.replace(k.change, k.old...)
	v.mu.Unlock()
	v.dropOld(k.change, k.old...)
}

// adopt notes how a call ended that was made for c before there was c.
func (v *Tree) adopt(c *change, a *asked) {
	defer close(a.over)
	<-a.done
	ctx := context.Background()
	switch {
	case a.err == nil, c.rec.Kind != cache.Moved && c.rec.Kind != cache.Dir && errors.Is(a.err, remote.ErrNotExist):
		v.mu.Lock()
		c.sent = true
		v.mu.Unlock()
		v.finishAttempt(ctx, c, nil)
	case isSaid(a.err):
		v.finishAttempt(ctx, c, breaker.ErrSilent) // the next attempt finds out more
	case errors.Is(a.err, breaker.ErrSilent): // it may have waited for something else than the remote
		v.finishAttempt(ctx, c, errCalledOff)
	default:
		v.finishAttempt(ctx, c, a.err)
	}
}

// awaitLate waits for the calls that go on behind their records.
func (v *Tree) awaitLate() {
	v.mu.Lock()
	late := v.late
	v.late = nil
	v.mu.Unlock()
	for _, a := range late {
		<-a.over
	}
}
