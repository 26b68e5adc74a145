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
	c := crew{width: firstMovers}
	c.changed.L = &c.mu
	var all sync.WaitGroup
	for _, item := range items {
		if c.enter(); ctx.Err() != nil {
			break
		}
		all.Go(func() {
			err := persist(ctx, func() error {
				err := do(ctx, item)
				c.learn(err == nil || remote.Permanent(err))
				return err
			})
			c.leave()
			if err != nil {
				cancel(err)
			}
		})
	}
	all.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

const (
	// firstMovers is how many requests of one each are under way at first.
	firstMovers = 16
	// maxMovers is how many there are at most: with 30 ms each, 3,200 in a second, which is what
	// stores take of one directory.
	maxMovers = 96
)

// A crew is how many calls may be under way: one more for each that is answered, until one fails on
// the way. That may be because there were too many.
type crew struct {
	mu      sync.Mutex
	changed sync.Cond
	width   int  // guarded by mu
	settled bool // guarded by mu; it does not become wider any more
	busy    int  // guarded by mu
}

// enter waits until one more call may begin.
func (c *crew) enter() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.busy >= c.width {
		c.changed.Wait()
	}
	c.busy++
}

// leave ends a call.
func (c *crew) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy--
	c.changed.Signal()
}

// learn notes how a call went.
func (c *crew) learn(answered bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !answered:
		c.width, c.settled = firstMovers, true
	case !c.settled:
		c.width = min(c.width+1, maxMovers)
	}
	c.changed.Signal()
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
