package objects

import (
	"context"
	"sync"
	"time"

	"ferry/remote"
)

// each calls do for all items, several at once, and persists in each. The first error ends it.
func each[T any](ctx context.Context, items []T, do func(ctx context.Context, item T) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan T)
	var workers sync.WaitGroup
	for range min(movers, len(items)) {
		workers.Go(func() {
			for item := range queue {
				if err := persist(ctx, func() error { return do(ctx, item) }); err != nil {
					cancel(err)
				}
			}
		})
	}
feeding:
	for _, item := range items {
		select {
		case queue <- item:
		case <-ctx.Done():
			break feeding
		}
	}
	close(queue)
	workers.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

const (
	// attempts is how often a request is made that fails on the way: of thousands, one surely does.
	attempts = 4
	// firstPause is the time before the second attempt; each further one waits twice as long.
	firstPause = 100 * time.Millisecond
)

// persist repeats what failed on the way.
func persist(ctx context.Context, call func() error) error {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for n := range attempts {
		select {
		case <-pause.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		err := call()
		if err == nil || remote.Permanent(err) || n == attempts-1 {
			return err
		}
		pause.Reset(firstPause << n)
	}
	return nil
}
