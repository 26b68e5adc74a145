package hooks

import (
	"time"

	"ferry/events"
)

// sayFull is how often it is said that the outbox is full.
const sayFull = time.Minute

// makeRoom has n bytes fit for an item. It returns false where they do not, and nobody waits for
// that.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) makeRoom(n int64, it *item) (bool, error) {
	if x.journal.Live()+n <= x.o.Limit {
		return true, nil
	}
	if x.o.Hold {
		if it.kind == events.UploadStored {
			x.sayFull("uploads are held")
			return false, ErrFull
		}
		it.queue.dropped++
		x.sayFull("an event that is not of an upload was dropped")
		return false, nil
	}
	for x.journal.Live()+n > x.o.Limit {
		oldest := x.oldest()
		if oldest == nil {
			it.queue.dropped++
			x.sayFull("an event was dropped")
			return false, nil
		}
		oldest.queue.dropped++
		x.remove(oldest)
	}
	x.sayFull("the oldest events were dropped")
	return true, nil
}

// oldest returns the oldest item that can be dropped, nil if there is none.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) oldest() *item {
	for len(x.order) > 0 && x.order[0].gone {
		x.order = x.order[1:]
		x.left--
	}
	for _, it := range x.order {
		if !it.gone && !it.running && it.state != prepared {
			return it
		}
	}
	return nil
}

// LOCKS_REQUIRED(x.mu)
func (x *Outbox) sayFull(what string) {
	if now := time.Now(); now.Sub(x.full) >= sayFull {
		x.full = now
		x.log.Warn("the outbox of hooks is full: "+what+"; see ferry hooks ls, or raise --outbox-size", "bytes", x.o.Limit)
	}
}
