package conns

import (
	"context"
	"sync/atomic"
	"time"

	"ferry/remote"
)

// Await makes a call of a library that knows no context, and returns when it does or when ctx ends.
// In the second case the call goes on, late gets what it yields in the end, and if it never ends,
// its connection is closed.
func Await[T any](ctx context.Context, c Conn, call func() (T, error), late func(T)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var zero T
	if ctx.Err() != nil {
		return zero, context.Cause(ctx)
	}
	var settled atomic.Bool // the result belongs to whom sets it
	done := make(chan result, 1)
	ended := make(chan struct{})
	go func() {
		value, err := call()
		close(ended)
		if settled.CompareAndSwap(false, true) {
			done <- result{value, err}
		} else if err == nil && late != nil {
			late(value)
		}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
	}
	if !settled.CompareAndSwap(false, true) {
		r := <-done
		return r.value, r.err
	}
	go watch(c, ended)
	return zero, context.Cause(ctx)
}

// watch closes the connection if ended does not come.
func watch(c Conn, ended <-chan struct{}) {
	t := time.NewTimer(Patience)
	defer t.Stop()
	select {
	case <-ended:
	case <-t.C:
		c.Close()
	}
}

// Do is Await for calls that yield nothing.
func Do(ctx context.Context, c Conn, call func() error) error {
	_, err := Await(ctx, c, func() (struct{}, error) { return struct{}{}, call() }, nil)
	return err
}

// Commit is Do for a change that others see: once it was begun it cannot be called back, and the
// call waits for its answer as remote.Committed lets it. When there is none, by what unanswered
// says of the error, the change is in doubt. call gets the context it is waited under.
func Commit(ctx context.Context, c Conn, unanswered func(error) bool, call func(ctx context.Context) error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case c.Pooled().Lost(): // nothing is sent
		return ErrLost
	}
	committed, release := remote.Committed(ctx)
	defer release()
	err := Do(committed, c, func() error { return call(committed) })
	if unanswered(err) {
		remote.Unanswered(ctx)
	}
	return err
}
