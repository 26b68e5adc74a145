package quota

import (
	"context"
	"strconv"

	"ferry/events"
)

// shares are those of a limit that are recorded when they are reached, each once until less is used
// again.
var shares = [...]float64{0.6, 0.9, 1}

// reached is how many of the shares a user has reached.
type reached struct{ bytes, files int }

// sharesOf returns what u has reached of l.
func sharesOf(u Usage, l Limits) reached {
	return reached{sharesIn(u.Bytes, l.Bytes), sharesIn(u.Files, l.Files)}
}

func sharesIn(used, limit int64) int {
	n := 0
	for limit > 0 && n < len(shares) && float64(used) >= shares[n]*float64(limit) {
		n++
	}
	return n
}

// crossed returns an event for the highest share that was reached since it was called last, of
// bytes and of files.
//
// LOCKS_REQUIRED(a.mu)
func (a *Account) crossed() []*events.Event {
	before := a.reached
	a.reached = sharesOf(a.used, a.limits)
	if !a.store.Events.Wants(events.Quota) {
		return nil
	}
	var all []*events.Event
	add := func(cause string, before, now int, used, limit int64) {
		if now > before {
			share := strconv.FormatFloat(shares[now-1], 'g', -1, 64)
			all = append(all, &events.Event{Kind: events.Quota, User: a.user, Bytes: used, Size: limit, Argument: share, Cause: cause})
		}
	}
	add("bytes", before.bytes, a.reached.bytes, a.used.Bytes, a.limits.Bytes)
	add("files", before.files, a.reached.files, a.used.Files, a.limits.Files)
	return all
}

// record brings events to those who listen. One that cannot take note has logged it.
func (s *Store) record(all []*events.Event) {
	for _, e := range all {
		_ = s.Events.Record(context.Background(), e)
	}
}
