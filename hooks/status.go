package hooks

import (
	"cmp"
	"slices"
	"time"
)

// A Status is the state of an outbox in numbers.
type Status struct {
	Bytes, Limit int64
	Hooks        []HookStatus // by name
}

// A HookStatus is the state of one hook in numbers, those that only grow since the start of the
// process.
type HookStatus struct {
	Name   string
	Target string // what is called, without secrets; "" = there is no such hook any more

	Waiting  int       // to be delivered, or for a name
	Dead     int       // given up
	Running  int       // calls
	Oldest   time.Time // of Waiting; zero = nothing waits
	Stopped  bool      // the receiver answered 410
	LastFail string    // of the last call that failed, since one succeeded

	Delivered uint64        // events
	Failed    uint64        // calls
	Dropped   uint64        // events that did not fit
	Took      time.Duration // all calls together
}

// Status returns the state of the outbox.
func (x *Outbox) Status() Status {
	x.mu.Lock()
	defer x.mu.Unlock()
	s := Status{Limit: x.o.Limit}
	if x.journal != nil {
		s.Bytes = x.journal.Live()
	}
	hooks := map[*queue]*HookStatus{}
	for _, q := range x.queues {
		h := &HookStatus{
			Name: q.name, Running: q.running, Stopped: q.gone, LastFail: q.lastFailure,
			Delivered: q.delivered, Failed: q.failed, Dropped: q.dropped, Took: q.took,
		}
		if q.caller != nil {
			h.Target = q.caller.String()
		}
		hooks[q] = h
	}
	for _, it := range x.order {
		h := hooks[it.queue]
		switch {
		case it.gone:
		case it.state == dead:
			h.Dead++
		default:
			h.Waiting++
			if h.Oldest.IsZero() {
				h.Oldest = it.since
			}
		}
	}
	for _, h := range hooks {
		s.Hooks = append(s.Hooks, *h)
	}
	slices.SortFunc(s.Hooks, func(a, b HookStatus) int { return cmp.Compare(a.Name, b.Name) })
	return s
}
