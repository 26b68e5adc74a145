package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"ferry/remote"
)

// background is what goes on beside the sessions for one stack.
type background struct {
	stack    *stack
	polling  polling
	sweeping sweeping
	warm     int // how many directories are listed at a time at the start; 0 = none
}

// background returns what the flags ask for.
func (o *options) background(st *stack) background {
	b := background{stack: st, polling: o.polling(st.remote), sweeping: o.sweeping(st.remote)}
	if o.Warm {
		b.warm = int(min(max(o.Checkers, 1), maxCheckers))
	}
	return b
}

// run works until ctx ends. It calls fail when the stack cannot be served any more, and goes on
// with the rest.
func (b background) run(ctx context.Context, fail func(error)) {
	st := b.stack
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := st.root.finish(ctx); err != nil {
			fail(err)
		} else if !st.root.waiting() {
			st.tree.Responded()
		}
	})
	wg.Go(func() { keepRunning(ctx, st.remote, st.log) })
	wg.Go(func() { b.sweeping.run(ctx, st.log) })
	settled := make(chan struct{})
	wg.Go(func() { b.polling.watch(ctx, st, settled) })
	if b.warm > 0 {
		wg.Go(func() { st.refresh(ctx, b.warm, settled) })
	}
	wg.Go(func() {
		if err := st.tree.Run(ctx); err != nil {
			fail(fmt.Errorf("the cache: %w", err))
		}
	})
	wg.Wait()
}

// keepRunning does the background work of a remote until ctx ends.
func keepRunning(ctx context.Context, r remote.Remote, log *slog.Logger) {
	if err := remote.Run(ctx, r); err != nil {
		log.WarnContext(ctx, "the background work of the remote has ended", "remote", r.Info().Name, "error", err)
	}
}
