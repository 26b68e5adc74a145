package hooks

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"ferry/events"
)

// Record implements events.Listener. An upload that was stored survives a loss of power when it
// returns nil.
func (x *Outbox) Record(ctx context.Context, e *events.Event) error {
	if !events.Set(x.wants.Load()).Has(e.Kind) {
		return nil
	}
	sync, sooner, err := x.record(e)
	if sooner {
		x.wakeUp()
	}
	if err == nil && sync {
		err = x.sync(e)
	}
	if err != nil {
		x.log.LogAttrs(ctx, slog.LevelError, "hooks are not told of something",
			slog.String("event", e.Kind.String()), slog.String("path", e.Path), slog.Any("error", err))
	}
	return err
}

// record takes e in for each hook that wants it. sync: what it is about is nowhere else; sooner:
// something is due before Run looks again.
func (x *Outbox) record(e *events.Event) (sync, sooner bool, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.journal == nil {
		return false, false, errNotOpen
	}
	now := time.Now()
	switch {
	case e.Result != events.OK && isChange(e.Kind): // nothing has changed
		return false, false, nil
	case e.Kind == events.Rename:
		x.renamed(e, now)
		sooner = true
	case e.Kind == events.Delete:
		x.deleted(e, now)
		sooner = true
	}
	for _, q := range x.queues {
		if q.caller == nil || !q.about(e) {
			continue
		}
		if it := q.recorded(e.Kind)[e.ID]; it != nil {
			if it.state == prepared {
				x.confirm(it, e, now)
				sooner = sooner || x.isSooner(it)
			} else {
				sync = true // of what was recorded before it is not known whether it was synced
			}
			continue
		}
		it := newItem(x.nextKey, q, e, now)
		it.state, it.due = x.begin(q.hook, e, now)
		if it.state == ignored && e.Kind != events.UploadStored {
			continue
		}
		added, addErr := x.add(it, e)
		err = errors.Join(err, addErr)
		sync = sync || added && e.Kind == events.UploadStored
		sooner = sooner || added && x.isSooner(it)
	}
	return sync, sooner, err
}

// isSooner reports whether an item is due before Run looks again.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) isSooner(it *item) bool { return x.planned.IsZero() || it.due.Before(x.planned) }

// isChange reports whether an event of that kind is about a change, of which hooks are told if it
// was made.
func isChange(k events.Kind) bool {
	return events.Of(events.Delete, events.Rename, events.Mkdir, events.Rmdir, events.SetTime, events.Chmod, events.Copy).Has(k)
}

// add takes in a new item. It returns false where there is no room and nobody is told.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) add(it *item, e *events.Event) (bool, error) {
	if it.changes() {
		it.maybe = x.mayBecome(it)
	}
	value := it.encode(x.space[:0], e)
	x.space = value
	if fits, err := x.makeRoom(int64(len(value)), it); err != nil || !fits {
		return false, err
	}
	if err := x.journal.Put(it.key, value); err != nil {
		return false, err
	}
	x.nextKey++
	x.insert(it)
	if it.state != prepared { // that is followed by another
		x.remember(it, e)
	}
	return true, nil
}

// confirm goes on with what was prepared.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) confirm(it *item, e *events.Event, now time.Time) {
	to, due := x.begin(it.queue.hook, e, now)
	it.path, it.since = e.Path, now
	x.move(it, to, due)
	if it.changes() {
		it.maybe = x.mayBecome(it)
	}
	x.report(it, x.keep(it, e))
}

// Prepare implements events.Preparer.
func (x *Outbox) Prepare(ctx context.Context, e *events.Event) error {
	if !events.Set(x.wants.Load()).Has(e.Kind) {
		return nil
	}
	added, err := x.prepare(e)
	if err == nil && added {
		err = x.sync(e)
	}
	if err != nil {
		x.Withdraw(ctx, e.ID)
	}
	return err
}

func (x *Outbox) prepare(e *events.Event) (added bool, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.journal == nil:
		return false, errNotOpen
	case e.Kind == events.Rename:
		return false, x.prepareRename(e)
	case e.Kind != events.UploadStored:
		return false, nil
	}
	for _, q := range x.queues {
		if q.caller == nil || !q.about(e) || q.recorded(e.Kind)[e.ID] != nil {
			continue
		}
		it := newItem(x.nextKey, q, e, time.Now())
		it.state = prepared
		fits, err := x.add(it, e)
		if err != nil {
			return added, err
		}
		added = added || fits
	}
	return added, nil
}

// Withdraw implements events.Preparer.
func (x *Outbox) Withdraw(_ context.Context, id string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.withdrawRename(id)
	for _, q := range x.queues {
		if it := q.stored[id]; it != nil && it.state == prepared {
			x.remove(it)
		}
	}
}

// sync makes durable what was kept before, unless there is no use in that.
func (x *Outbox) sync(e *events.Event) error {
	x.mu.Lock()
	j := x.journal
	x.mu.Unlock()
	switch {
	case x.o.Unsynced != nil && x.o.Unsynced(e):
		return nil
	case j == nil:
		return errNotOpen
	}
	return j.Sync()
}
