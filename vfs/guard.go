package vfs

import (
	"context"

	"ferry/breaker"
	"ferry/remote"
)

// AnswerLimit is the longest time a client waits for a remote that gives no sign of life.
const AnswerLimit = breaker.AnswerLimit

// guard returns a context for a call that must not wait for the remote longer than limit. The
// caller calls End, or, if the result of the call lives on under the context, Settle. Within a
// guarded call, the outer Watchdog applies.
func (f *FS) guard(ctx context.Context, limit breaker.Limit) (context.Context, *breaker.Watchdog) {
	if !f.guarded || breaker.WatchdogOf(ctx) != nil {
		return ctx, nil
	}
	return f.breaker.Guard(ctx, limit)
}

// probe makes a cheap call of the remote; any answer is a success.
func (f *FS) probe(ctx context.Context) error {
	ask := f.opt.Probe
	if ask == nil {
		ask = func(ctx context.Context) error {
			_, err := f.remote.Stat(ctx, ".")
			return err
		}
	}
	err := ask(ctx)
	if ctx.Err() == nil && remote.Permanent(err) {
		return nil
	}
	return err
}

// Ready queries the root of the remote itself, bypassing caches and pending changes. The error is
// the reason why there is no root.
func (f *FS) Ready(ctx context.Context) error {
	root, err := f.remote.Stat(ctx, ".")
	if err == nil && !root.Dir {
		err = remote.ErrNotDir
	}
	return err
}
