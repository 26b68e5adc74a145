package writeback

import (
	"context"
	"errors"
	"sync"
	"time"
)

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

// waitLateCalls waits for the calls that outlive their clients.
func (v *Tree) waitLateCalls() {
	v.mu.Lock()
	late := v.late
	v.late = nil
	v.mu.Unlock()
	for _, a := range late {
		<-a.settled
	}
}
