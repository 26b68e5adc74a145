package metricsbridge

import (
	"context"
	"time"

	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/rcbridge"
	"ferry/events"
	"ferry/vfs"
)

// lateInterval is the time between two looks at what waits.
const lateInterval = 5 * time.Second

// late is the age from which a change that waits is too old; 0 = never.
func (b *Bridge) late() time.Duration { return flags.Unlimited(b.options.QueueLate) }

// tellLate records when changes of a tree wait for too long, and when that is over, until ctx ends.
func (b *Bridge) tellLate(ctx context.Context) {
	at := b.subject.Load()
	if at == nil || b.late() <= 0 || !at.Events.Wants(events.QueueLate) {
		return
	}
	tick := time.NewTicker(min(lateInterval, b.late()))
	defer tick.Stop()
	told := map[*vfs.FS]bool{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := map[*vfs.FS]bool{}
		for _, o := range at.opened() {
			if is := b.tellOf(ctx, at.Events, o, told[o.Tree]); is {
				now[o.Tree] = true
			}
		}
		told = now
	}
}

// tellOf records a change of whether a tree is late, which it returns.
func (b *Bridge) tellOf(ctx context.Context, stream *events.Stream, o rcbridge.Opened, was bool) bool {
	waits := age(o)
	is := waits > b.late()
	if is == was {
		return is
	}
	e := events.Event{Kind: events.QueueLate, Remote: typeOf(o.Tree.Remote()), Duration: waits, Bytes: o.Tree.Waiting().Bytes}
	if is {
		e.Result = events.Failed
		if err := o.Tree.Waiting().LastError; err != nil {
			e.Cause = err.Error()
		}
	}
	_ = stream.Record(ctx, &e) // who listens has said what is wrong
	return is
}
