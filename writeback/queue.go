package writeback

import (
	"container/heap"
	"math/rand/v2"
	"slices"
	"time"
)

// A queue holds the pending changes that may be applied: urgent ones first, then by due time. Large
// files have a heap of their own, so that small ones can overtake them. Tree.mu guards it.
type queue struct {
	small, large dueHeap
	freed        [][]*change // changes that are not blocked any more, and not yet pushed again
}

// largeFile is the size above which a file occupies a transfer long enough to delay others.
const largeFile = 1 << 20

// large reports whether c is a large file.
func (c *change) large() bool { return c.bytes() > largeFile }

// heap returns the heap for c.
func (q *queue) heap(c *change) *dueHeap {
	if c.large() {
		return &q.large
	}
	return &q.small
}

// push inserts c, or moves it if it is in already. A change that is dead or being applied is not
// inserted.
func (q *queue) push(c *change) {
	switch {
	case c.dead || c.refused || c.run != nil || c.pinned != nil || c.blockedBy != nil:
	case c.place >= 0:
		heap.Fix(q.heap(c), c.place)
	default:
		heap.Push(q.heap(c), c)
	}
}

// drop removes c, if it is in.
func (q *queue) drop(c *change) {
	if c.place >= 0 {
		heap.Remove(q.heap(c), c.place)
	}
}

// due returns the first change if it is due at the time now, and otherwise when it will be due;
// waits is false if there is none. Without large it skips large files that are not urgent.
func (q *queue) due(now time.Time, large bool) (c *change, next time.Time, waits bool) {
	first := q.first(large)
	switch {
	case first == nil:
		return nil, time.Time{}, false
	case !first.urgent && first.due.After(now):
		return nil, first.due, true
	}
	return first, time.Time{}, false
}

// first returns the first change, or nil. Of two urgent ones, the small one is first.
func (q *queue) first(large bool) *change {
	a, b := q.small.first(), q.large.first()
	if b != nil && !large && !b.urgent {
		b = nil
	}
	if a == nil || b != nil && !a.urgent && b.before(a) {
		return b
	}
	return a
}

// block makes c, and its waiters, wait for other.
func (q *queue) block(c, other *change) {
	c.blockedBy = other
	other.waiting = append(other.waiting, c)
	if c.urgent {
		q.expedite(other)
	}
}

// unblock releases the waiters of c, in batches: see settle.
func (q *queue) unblock(c *change) {
	if len(c.waiting) > 0 {
		q.freed = append(q.freed, c.waiting)
		c.waiting = nil
	}
}

// unblockOlder releases the waiters of c that c does not precede: they waited for the end of its
// run. Otherwise c and a change that precedes it would wait for each other.
func (q *queue) unblockOlder(c *change) {
	var freed []*change
	c.waiting = slices.DeleteFunc(c.waiting, func(other *change) bool {
		if c.precedes(other) {
			return false
		}
		freed = append(freed, other)
		return true
	})
	if freed != nil {
		q.freed = append(q.freed, freed)
	}
}

// settle pushes n of the released changes, and reports whether there are more.
func (q *queue) settle(n int) bool {
	for ; n > 0 && len(q.freed) > 0; n-- {
		if len(q.freed[0]) == 0 {
			q.freed = q.freed[1:]
			continue
		}
		other := q.freed[0][0]
		q.freed[0] = q.freed[0][1:]
		other.blockedBy = nil
		q.push(other)
	}
	return len(q.freed) > 0
}

// expedite makes c, and the change that it waits for, urgent.
func (q *queue) expedite(c *change) {
	for ; c != nil; c = c.blockedBy {
		c.urgent = true
		q.push(c)
	}
}

// dueHeap implements heap.Interface.
type dueHeap []*change

func (h dueHeap) Len() int { return len(h) }

func (h dueHeap) Less(i, j int) bool { return h[i].before(h[j]) }

func (h dueHeap) first() *change {
	if len(h) == 0 {
		return nil
	}
	return h[0]
}

// before reports whether a goes before b.
func (c *change) before(other *change) bool {
	if c.urgent != other.urgent {
		return c.urgent
	}
	if !c.urgent && !c.due.Equal(other.due) {
		return c.due.Before(other.due)
	}
	return c.rec.Seq < other.rec.Seq
}

func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

func (h *dueHeap) Push(c any) {
	c.(*change).place = len(*h)
	*h = append(*h, c.(*change))
}

func (h *dueHeap) Pop() any {
	last := len(*h) - 1
	c := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	c.place = -1
	return c
}

// signal wakes run.
func (v *Tree) signal() {
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

// The delay before the next attempt to apply a change: the first, the longest, and the random
// share.
const (
	firstDelay = time.Second
	maxDelay   = time.Minute
)

// backoff returns the delay after tries failed attempts.
func backoff(tries int) time.Duration {
	d := maxDelay
	if tries < 7 {
		d = min(firstDelay<<(tries-1), maxDelay)
	}
	return d/2 + rand.N(d/2)
}
