package hooks

import (
	"container/heap"
	"context"
	"slices"
	"time"

	"ferry/events"
	"ferry/hooks/call"
	"ferry/hooks/settings"
)

// A caller makes the calls of a hook.
type caller interface {
	Call(ctx context.Context, messages ...call.Message) (call.Answer, error)
	Close()
	String() string
}

// A queue is what waits for one hook. Everything of it is guarded by the lock of the outbox.
type queue struct {
	name   string
	hook   settings.Hook
	facts  events.Set // that hook is told of
	caller caller     // nil: there is no such hook now

	// Of what may be recorded several times, those by ID of the event.
	stored, refused map[string]*item

	lanes    map[string][]*item // by path, those that are ordered, oldest first
	changing timed              // those whose names may still change
	ready    timed              // those that wait for their time only, and some that no longer do
	running  int                // calls under way

	failures int       // calls in a row that got no answer
	pause    time.Time // no call begins before
	gone     bool      // the receiver does not want to be called any more

	delivered, failed, dropped uint64 // events; calls; events
	took                       time.Duration
	lastFailure                string
}

func newQueue(name string) *queue {
	return &queue{name: name, stored: map[string]*item{}, refused: map[string]*item{}, lanes: map[string][]*item{}}
}

// recorded returns the items whose events of a kind may be recorded again; nil = they are not.
func (q *queue) recorded(k events.Kind) map[string]*item {
	switch k {
	case events.UploadStored:
		return q.stored
	case events.UploadRefused:
		return q.refused
	}
	return nil
}

// about reports whether the hook is told of e, as far as its name does not change any more.
func (q *queue) about(e *events.Event) bool {
	if !q.facts.Has(e.Kind) || !q.hook.MatchUser(e.User) {
		return false
	}
	return e.Kind == events.UploadStored || q.hook.MatchPath(e.Path) || e.To != "" && q.hook.MatchPath(e.To)
}

// enter takes an item in, in the state that it has.
func (q *queue) enter(it *item) {
	if it.state.ordered() {
		for _, lane := range it.lanes() {
			list := q.lanes[lane]
			i, _ := slices.BinarySearchFunc(list, it, byAge)
			q.lanes[lane] = slices.Insert(list, i, it)
		}
	}
	if it.changes() || it.state == waiting && q.first(it) {
		q.schedule(it)
	}
}

// leave takes an item out, whatever its state is. What waited for it may be due now.
func (q *queue) leave(it *item) {
	if it.place >= 0 {
		heap.Remove(q.heapOf(it), it.place)
	}
	if !it.state.ordered() {
		return
	}
	for _, lane := range it.lanes() {
		list := without(q.lanes[lane], it)
		if len(list) == 0 {
			delete(q.lanes, lane)
			continue
		}
		q.lanes[lane] = list
		q.consider(list[0])
	}
}

// settled has an item wait whose name was settling.
func (q *queue) settled(it *item, due time.Time) {
	heap.Remove(&q.changing, it.place)
	it.state, it.due = waiting, due
	q.consider(it)
}

// consider schedules an item if nothing is before it any more.
func (q *queue) consider(it *item) {
	if it.state == waiting && !it.running && it.place < 0 && q.first(it) {
		q.schedule(it)
	}
}

// first reports whether no other item of its paths is before it.
func (q *queue) first(it *item) bool {
	for _, lane := range it.lanes() {
		if list := q.lanes[lane]; len(list) > 0 && list[0] != it {
			return false
		}
	}
	return true
}

// schedule has an item come up when it is due.
func (q *queue) schedule(it *item) {
	if it.place >= 0 {
		heap.Fix(q.heapOf(it), it.place)
		return
	}
	heap.Push(q.heapOf(it), it)
}

// heapOf returns where an item of that state is scheduled.
func (q *queue) heapOf(it *item) *timed {
	if it.changes() {
		return &q.changing
	}
	return &q.ready
}

// timed is a heap of items by the time at which they are due, and then by age.
type timed []*item

func (h timed) Len() int { return len(h) }

func (h timed) Less(i, j int) bool {
	if c := h[i].due.Compare(h[j].due); c != 0 {
		return c < 0
	}
	return h[i].key < h[j].key
}

func (h timed) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

func (h *timed) Push(x any) {
	it := x.(*item)
	it.place = len(*h)
	*h = append(*h, it)
}

func (h *timed) Pop() any {
	last := len(*h) - 1
	it := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	it.place = -1
	return it
}
