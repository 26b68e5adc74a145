package hooks

import (
	"slices"
	"strings"
	"time"

	"ferry/events"
	"ferry/hooks/settings"
)

// gatherTime is how long at most an event that is due waits for others that go in the same call.
const gatherTime = 25 * time.Millisecond

// gathered returns when an event that is due then is sent: all that are due within some time
// together, if the hook takes several in a call. So a call, and a look at what is due, is for many.
func gathered(h settings.Hook, due time.Time) time.Time {
	if h.Batch <= 1 {
		return due
	}
	return due.Add(gatherTime - time.Duration(due.UnixNano())%gatherTime)
}

// begin returns how an event begins.
func (x *Outbox) begin(h settings.Hook, e *events.Event, now time.Time) (state, time.Time) {
	to, due := x.beginning(h, e, now)
	if to == settling || to == waiting {
		due = gathered(h, due)
	}
	return to, due
}

func (x *Outbox) beginning(h settings.Hook, e *events.Event, now time.Time) (state, time.Time) {
	name := e.Path
	switch e.Kind {
	case events.UploadStored:
		switch {
		case h.Ignores(name):
			return ignored, now.Add(longestIgnored)
		case x.settleTime(h) > 0:
			return settling, now.Add(x.settleTime(h))
		case !h.MatchPath(name):
			return ignored, now
		}
		return waiting, now
	case events.Rename:
		name = e.To
	case events.UploadReceived, events.Download, events.Delete, events.SetTime, events.Chmod:
	default:
		return waiting, now
	}
	if h.Ignores(name) {
		return ignored, now
	}
	return waiting, now
}

func (x *Outbox) settleTime(h settings.Hook) time.Duration {
	if h.Settle != 0 {
		return max(h.Settle, 0)
	}
	return x.o.Settle
}

// renamed gives uploads whose names are still changing the ones that they have now: of e, or below
// it.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) renamed(e *events.Event, now time.Time) {
	delete(x.renaming, e.ID)
	r := renamingOf(e)
	for _, it := range x.concerned(r) {
		to, _ := r.newPath(it.user, it.path)
		x.rename(it, to, now)
	}
}

// rename gives an upload another name, which it must keep for some time.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) rename(it *item, to string, now time.Time) {
	was, err := x.event(it)
	if err != nil {
		x.report(it, err)
		return
	}
	e := copyOf(was)
	e.Before, e.Path, e.Name = append(e.Before, it.path), to, nameAt(e, to)
	x.leave(it)
	it.path, it.maybe = to, ""
	it.state, it.due = x.begin(it.queue.hook, e, now)
	x.enter(it)
	x.report(it, x.keep(it, e))
}

// deleted ends the changes of a name: an upload that was stored is told of, though it is gone. One
// that never had a name to tell of is not.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) deleted(e *events.Event, now time.Time) {
	for _, it := range slices.Clone(x.settling[owned{e.User, e.Path}]) {
		if it.state == ignored {
			x.remove(it)
		} else {
			it.due = now
			it.queue.schedule(it)
		}
	}
}

// nameAt returns the name on the remote of the file of e when its path is to. Paths and names have
// the last part in common.
func nameAt(e *events.Event, to string) string {
	if e.Name == "" {
		return ""
	}
	swapped := events.Origin{Path: "/" + e.Name, Name: strings.TrimPrefix(e.Path, "/")}
	return strings.TrimPrefix(swapped.PathOf(strings.TrimPrefix(to, "/")), "/")
}
