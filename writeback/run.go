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
	turn := v.gate.join(v.server, v.signal)
	defer turn.leave()
	defer v.waitLateCalls()
	defer running.Wait()
	running.Go(func() { v.retryLost(ctx) })
	running.Go(func() { v.uploads.abortLeft(ctx, v.remote) })
	running.Go(func() { v.tell.run(ctx) })
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		if next, waits := v.startDue(ctx, turn, &running); waits {
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
func (v *Tree) startDue(ctx context.Context, turn *turn, running *sync.WaitGroup) (next time.Time, waits bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.queue.settle(batch) {
		v.signal()
	}
	if v.suspended > 0 {
		turn.pass()
		return time.Time{}, false
	}
	large := true // one may be applied
	for blocked := 0; ; {
		c, next, waits := v.queue.due(time.Now(), large)
		if c == nil {
			if large {
				turn.pass()
			}
			return next, waits
		}
		slot := turn.take(c.large(), c.urgent)
		if slot == nil && c.large() && !c.urgent {
			large = false
			continue
		}
		if slot == nil {
			return time.Time{}, false
		}
		v.queue.drop(c)
		if before := v.pending.conflicting(c); before != nil {
			v.queue.block(c, before)
			slot.end(showsNothing, 0)
			if blocked++; blocked == batch { // let others have the lock
				v.signal()
				return time.Time{}, false
			}
			continue
		}
		attempt, cancel := context.WithCancelCause(ctx)
		c.run, c.begun = &run{cancel, slot}, true
		v.running++
		running.Go(func() {
			defer cancel(nil)
			v.attempt(ctx, attempt, c)
		})
	}
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
