package hooks

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"ferry/hooks/settings"
)

// tidyInterval is how often it is looked whether the file holds more than it should.
const tidyInterval = 10 * time.Second

// Run delivers what waits until ctx ends.
func (x *Outbox) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { x.resolveAll(ctx) })
	wg.Go(func() { x.tidy(ctx) })
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-x.wake:
		case <-timer.C:
		}
		for _, a := range x.startDue(time.Now()) {
			wg.Go(func() { x.attempt(ctx, a) })
		}
		if next, ok := x.next(); ok {
			timer.Reset(time.Until(next))
		} else {
			timer.Stop()
		}
	}
}

// tidy has the file written anew when most of it is of what was delivered.
func (x *Outbox) tidy(ctx context.Context) {
	ticker := time.NewTicker(tidyInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		x.mu.Lock()
		j := x.journal
		x.mu.Unlock()
		if j == nil {
			continue
		}
		if err := j.Compact(); err != nil {
			x.log.ErrorContext(ctx, "the outbox of hooks cannot be written anew, and grows", "error", err)
		}
	}
}

// A trial is an attempt that begins.
type trial struct {
	queue  *queue
	caller caller
	items  []*item
}

// startDue takes what is due out of the queues.
func (x *Outbox) startDue(now time.Time) []trial {
	x.mu.Lock()
	defer x.mu.Unlock()
	var all []trial
	if x.journal == nil {
		return nil
	}
	for _, q := range x.queues {
		x.endSettling(q, now)
		for q.caller != nil && !now.Before(q.pause) && q.running < q.parallel() {
			items := x.takeDue(q, now)
			if len(items) == 0 {
				break
			}
			q.running++
			all = append(all, trial{q, q.caller, items})
		}
	}
	return all
}

// parallel is how many calls may be under way. A receiver that does not answer is not called by
// many.
func (q *queue) parallel() int {
	switch {
	case q.failures > 0:
		return 1
	case q.hook.Concurrency > 0:
		return q.hook.Concurrency
	}
	return settings.DefaultConcurrency
}

// endSettling has names that did not change count.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) endSettling(q *queue, now time.Time) {
	if q.caller == nil { // what its names mean says the hook
		return
	}
	for len(q.changing) > 0 && !now.Before(q.changing[0].due) {
		it := q.changing[0]
		if it.maybe != "" { // it is being renamed, or was when a process before this one ended
			it.due = now.Add(time.Second)
			q.schedule(it)
			continue
		}
		if it.state == ignored || !q.hook.MatchPath(it.path) {
			x.remove(it)
		} else {
			x.move(it, waiting, now)
		}
	}
}

// takeDue returns what is sent in one call, nothing if nothing is due.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) takeDue(q *queue, now time.Time) []*item {
	var items []*item
	for len(q.ready) > 0 && len(items) < max(q.hook.Batch, 1) {
		it := q.ready[0]
		if now.Before(it.due) || it.tries > 0 && len(items) > 0 { // it may be why a batch failed, and goes alone
			break
		}
		heap.Pop(&q.ready)
		if !q.first(it) { // something older came before it; when that leaves, it is considered again
			continue
		}
		if q.gone {
			x.bury(it)
			continue
		}
		it.running = true
		items = append(items, it)
		if it.tries > 0 {
			break
		}
	}
	return items
}

// next returns when startDue is to be called again, unless something happens before.
func (x *Outbox) next() (time.Time, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	var next time.Time
	for _, q := range x.queues {
		if q.caller == nil {
			continue
		}
		if len(q.changing) > 0 {
			next = earlier(next, q.changing[0].due)
		}
		if len(q.ready) > 0 && q.running < q.parallel() { // else the end of a call wakes
			due := q.ready[0].due
			if due.Before(q.pause) {
				due = q.pause
			}
			next = earlier(next, due)
		}
	}
	x.planned = next
	return next, !next.IsZero()
}

// earlier returns the earlier of two times, of which a may be zero.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
