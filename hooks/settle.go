package hooks

import (
	"path"
	"slices"
	"strings"
	"time"

	"ferry/events"
	"ferry/hooks/settings"
)

// begin returns how an event begins.
func (x *Outbox) begin(h settings.Hook, e *events.Event, now time.Time) (state, time.Time) {
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
	if list, isFile := x.settling[owner(e.User, e.Path)]; isFile {
		for _, it := range slices.Clone(list) {
			x.rename(it, e.To, now)
		}
		return
	}
	below := owner(e.User, strings.TrimSuffix(e.Path, "/")+"/")
	var all []*item
	for at, list := range x.settling {
		if strings.HasPrefix(at, below) {
			all = append(all, list...)
		}
	}
	slices.SortFunc(all, func(a, b *item) int { return int(min(max(int64(a.key)-int64(b.key), -1), 1)) })
	for _, it := range all {
		rest := strings.TrimPrefix(owner(it.user, it.path), below)
		x.rename(it, path.Join("/", e.To, rest), now)
	}
}

// rename gives an upload another name, which it must keep for some time.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) rename(it *item, to string, now time.Time) {
	e, err := x.event(it)
	if err != nil {
		x.report(it, err)
		return
	}
	e.Before, e.Path = append(e.Before, it.path), to
	x.leave(it)
	it.path = to
	it.state, it.due = x.begin(it.queue.hook, e, now)
	x.enter(it)
	x.report(it, x.keep(it, e))
}

// deleted ends the changes of a name: an upload that was stored is told of, though it is gone. One
// that never had a name to tell of is not.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) deleted(e *events.Event, now time.Time) {
	for _, it := range slices.Clone(x.settling[owner(e.User, e.Path)]) {
		if it.state == ignored {
			x.remove(it)
		} else {
			it.due = now
			it.queue.schedule(it)
		}
	}
}
