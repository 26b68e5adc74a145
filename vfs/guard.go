package vfs

import (
	"context"

	"ferry/breaker"
	"ferry/remote"
)

// AnswerLimit is how long a client waits at most for a remote that gives no sign of life.
const AnswerLimit = breaker.AnswerLimit

// guard returns a context for a call that shall not wait for the remote longer than limit says. The
// caller calls End, or for a call whose result lives on under the context, Settle. Within a call
// that is guarded already, the outer Watchdog counts.
func (f *FS) guard(ctx context.Context, limit breaker.Limit) (context.Context, *breaker.Watchdog) {
	if !f.guarded || breaker.WatchdogOf(ctx) != nil {
		return ctx, nil
	}
	return f.breaker.Guard(ctx, limit)
}

// probe asks the remote for a sign of life, whatever it says.
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

// Ready asks the remote for its root, past everything that is remembered or waits. An error says
// why there is none.
func (f *FS) Ready(ctx context.Context) error {
	root, err := f.remote.Stat(ctx, ".")
	if err == nil && !root.Dir {
		err = remote.ErrNotDir
	}
	return err
}
