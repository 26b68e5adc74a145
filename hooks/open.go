package hooks

import (
	"errors"
	"log/slog"
	"slices"
	"time"

	"ferry/events"
	"ferry/hooks/journal"
)

// Open opens the outbox and reads what waits in it. If another process uses it, the error is a
// *disk.HeldError. An open one stays as it is.
func (x *Outbox) Open() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.open()
}

// LOCKS_REQUIRED(x.mu)
func (x *Outbox) open() error {
	if x.journal != nil {
		return nil
	}
	d, err := x.o.Disk()
	if err != nil {
		return err
	}
	j, err := journal.Open(d)
	if err != nil {
		return errors.Join(err, d.Close())
	}
	x.disk, x.journal = d, j
	if n := j.Cut(); n > 0 {
		x.log.Warn("the outbox of hooks ended in the middle of something, which was cut off", "bytes", n)
	}
	for _, key := range j.Keys() {
		if err := x.load(key); err != nil {
			err = errors.Join(err, j.Close(), d.Close())
			x.disk, x.journal = nil, nil
			return err
		}
	}
	return nil
}

// load takes in what an earlier process left. What cannot be read is left out.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) load(key uint64) error {
	x.nextKey = max(x.nextKey, key+1)
	value, err := x.journal.Get(key)
	if err != nil {
		return err
	}
	s, err := decode(value)
	if err != nil {
		x.log.Error("an event for hooks cannot be read, and is left out", "error", err)
		return x.journal.Delete(key)
	}
	it := newItem(key, x.queue(s.Hook), &s.Event, s.Since)
	it.state, it.due, it.tries, it.cause, it.maybe, it.old = stateOf(s.State), s.Due, s.Tries, s.Cause, s.Maybe, true
	x.insert(it)
	return nil
}

func newItem(key uint64, q *queue, e *events.Event, since time.Time) *item {
	return &item{
		key: key, queue: q, kind: e.Kind, id: e.ID, user: e.User, path: e.Path, to: e.To, since: since, place: -1,
	}
}

// queue returns what waits for a hook.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) queue(name string) *queue {
	q := x.queues[name]
	if q == nil {
		q = newQueue(name)
		x.queues[name] = q
	}
	return q
}

// insert takes an item in, in the state that it has.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) insert(it *item) {
	x.order = append(x.order, it)
	if again := it.queue.recorded(it.kind); again != nil {
		again[it.id] = it
	}
	x.enter(it)
}

// enter takes an item into its queue, and where renames find it.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) enter(it *item) {
	if it.changes() {
		at := it.owned()
		x.settling[at] = append(x.settling[at], it)
	}
	it.queue.enter(it)
}

// leave takes it out of both, to be entered again in another state.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) leave(it *item) {
	x.settled(it)
	it.queue.leave(it)
}

// settled has renames find it no more.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) settled(it *item) {
	if it.changes() {
		at := it.owned()
		if list := without(x.settling[at], it); len(list) > 0 {
			x.settling[at] = list
		} else {
			delete(x.settling, at)
		}
	}
}

// move gives an item another state.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) move(it *item, to state, due time.Time) {
	if it.state == settling && to == waiting { // its place among those of its path stays
		x.settled(it)
		it.queue.settled(it, due)
		return
	}
	x.leave(it)
	it.state, it.due = to, due
	x.enter(it)
}

// remove takes items out of the outbox.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) remove(items ...*item) {
	keys := make([]uint64, 0, 1) // most often it is one
	for _, it := range items {
		x.leave(it)
		it.gone = true
		x.left++
		x.remember(it, nil)
		if again := it.queue.recorded(it.kind); again[it.id] == it {
			delete(again, it.id)
		}
		keys = append(keys, it.key)
	}
	if err := x.journal.Delete(keys...); err != nil {
		x.log.Error("an event for hooks stays in the outbox, and will be delivered again", "error", err)
	}
	if x.left > 1000 && x.left > len(x.order)/2 {
		kept := make([]*item, 0, len(x.order)-x.left)
		for _, it := range x.order {
			if !it.gone {
				kept = append(kept, it)
			}
		}
		x.order, x.left = kept, 0
	}
}

// maxRemembered is how many events are in memory, too. Those beyond are read when they are needed,
// which takes longer than all else that is done for an event.
const maxRemembered = 8192

// remember keeps a copy of the event of it, if there are not too many; nil forgets it.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) remember(it *item, e *events.Event) {
	if it.event != nil {
		if it.event == e {
			return
		}
		it.event = nil
		x.remembered--
	}
	if e != nil && x.remembered < maxRemembered {
		it.event = copyOf(e)
		x.remembered++
	}
}

func copyOf(e *events.Event) *events.Event {
	c := *e
	c.Before = slices.Clone(e.Before)
	return &c
}

// keep writes what the journal has of an item, with another event or the one before.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) keep(it *item, e *events.Event) error {
	if e == nil {
		var err error
		if e, err = x.event(it); err != nil {
			return err
		}
	}
	value := it.encode(x.space[:0], e)
	x.space = value
	if err := x.journal.Put(it.key, value); err != nil {
		return err
	}
	x.remember(it, e)
	return nil
}

// bury gives an item up.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) bury(it *item) {
	x.move(it, dead, time.Time{})
	x.report(it, x.keep(it, nil))
}

// event returns the event of an item, which is not to be changed.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) event(it *item) (*events.Event, error) {
	if x.journal == nil {
		return nil, errNotOpen
	}
	if it.event != nil {
		return it.event, nil
	}
	value, err := x.journal.Get(it.key)
	if err != nil {
		return nil, err
	}
	s, err := decode(value)
	if err != nil {
		return nil, err
	}
	return &s.Event, nil
}

// report logs what could not be kept of an item that goes on in memory.
func (x *Outbox) report(it *item, err error) {
	if err != nil {
		x.log.Error("what became of an event for hooks cannot be kept: after a restart it is told again",
			slog.String("hook", it.queue.name), slog.String("id", it.id), slog.Any("error", err))
	}
}
