package nats

import (
	"context"
	"errors"
	"time"

	"ferry/cluster/nats/cause"
)

// errEnough ends a sequence whose consumer wants no more.
var errEnough = errors.New("no more is wanted")

// failuresTold is after how many failures, one after the other, the log has a line.
const failuresTold = 3

// again yields what follow does with one link after the other, until ctx ends or nobody wants more.
func again[T any](ctx context.Context, e *Engine, what string, yield func(T, error) bool, follow func(ctx context.Context, l *link, yield func(T) error) error) {
	failures := 0
	pass := func(x T) error {
		failures = 0
		if !yield(x, nil) {
			return errEnough
		}
		return nil
	}
	for {
		l, err := e.await(ctx)
		if err == nil {
			during, cancel := l.during(ctx)
			err = follow(during, l, pass)
			cancel()
		}
		if errors.Is(err, errEnough) {
			return
		}
		if ctx.Err() != nil {
			var none T
			yield(none, context.Cause(ctx))
			return
		}
		if failures++; failures == failuresTold {
			e.o.Log.WarnContext(ctx, "the engine that nodes share does not tell of "+what, "error", cause.Of(err))
		}
		select {
		case <-time.After(wait(failures)):
		case <-ctx.Done():
		}
	}
}
