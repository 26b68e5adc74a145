package hooks

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"ferry/hooks/call"
	"ferry/hooks/settings"
)

// Times between attempts: of an event they double from the first to the longest. A receiver that
// gives no answer is asked at least once in longestPause whether it is back.
const (
	firstWait    = time.Second
	longestWait  = time.Hour
	longestPause = time.Minute
)

// attempt makes one call.
func (x *Outbox) attempt(ctx context.Context, t trial) {
	messages, items := x.messages(t)
	began := time.Now()
	var err error
	if len(messages) > 0 {
		_, err = t.caller.Call(ctx, messages...)
	}
	if ctx.Err() != nil && err != nil {
		err = errStopped
	}
	took := time.Since(began)
	result := x.end(t.queue, items, err, took)
	if x.o.Called != nil && len(messages) > 0 && err != errStopped {
		x.o.Called(t.queue.name, result, took)
	}
	x.wakeUp()
}

var errStopped = errors.New("the server stops")

// messages reads what is sent. What cannot be read is left out, and said.
func (x *Outbox) messages(t trial) (messages []call.Message, items []*item) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, it := range t.items {
		e, err := x.event(it)
		if err != nil {
			it.running, it.cause = false, err.Error()
			x.move(it, dead, time.Time{})
			x.report(it, err)
			continue
		}
		messages = append(messages, call.Message{Name: e.Kind.String(), Event: e, Tries: it.tries})
		items = append(items, it)
	}
	return messages, items
}

// end notes what became of a call, and returns that in one word: see Options.Called.
func (x *Outbox) end(q *queue, items []*item, err error, took time.Duration) (result string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	q.running--
	now := time.Now()
	if err == nil && len(items) > 0 {
		q.failures, q.pause, q.lastFailure = 0, time.Time{}, ""
		q.delivered += uint64(len(items))
		q.took += took
	}
	bad := &call.Error{}
	result = "ok"
	if err != nil && err != errStopped {
		errors.As(err, &bad)
		result = "failed"
		q.failed++
		q.took += took
		q.lastFailure = err.Error()
		x.hold(q, bad, err, now)
	}
	var done []*item
	for _, it := range items {
		it.running = false
		switch {
		case it.gone: // dropped meanwhile
		case err == nil:
			done = append(done, it)
		case err == errStopped:
			q.consider(it)
		default:
			x.putOff(it, bad, err, now)
			if it.state == dead {
				result = "dead"
			}
		}
	}
	if len(done) > 0 {
		x.remove(done...)
	}
	return result
}

// hold has a receiver that did not answer left alone for a time.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) hold(q *queue, bad *call.Error, err error, now time.Time) {
	switch {
	case bad.Gone:
		q.gone = true
		x.log.Error("the receiver of a hook wants no more events (410): they are kept, see ferry hooks ls",
			slog.String("hook", q.name), slog.Any("error", err))
		return
	case bad.Refused: // of this event
		q.failures = 0
		return
	}
	q.failures++
	q.pause = now.Add(max(min(doubled(q.failures), longestPause), bad.RetryAfter))
	if q.failures == 1 {
		x.log.Warn("a hook cannot be told; what happens is kept until it can", slog.String("hook", q.name), slog.Any("error", err))
	}
}

// putOff notes a failure of an item, which is tried again later, or given up.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) putOff(it *item, bad *call.Error, err error, now time.Time) {
	it.tries++
	it.cause = err.Error()
	giveUp := cmp.Or(it.queue.hook.GiveUp, settings.DefaultGiveUp)
	if bad.Gone || now.Sub(it.since) >= giveUp {
		x.log.Error("a hook is not told of an event any more: see ferry hooks ls", slog.String("hook", it.queue.name),
			slog.String("event", it.kind.String()), slog.String("path", it.path), slog.Int("tries", it.tries), slog.Any("error", err))
		x.bury(it)
		return
	}
	it.due = now.Add(max(jittered(min(doubled(it.tries), longestWait)), bad.RetryAfter))
	it.queue.consider(it)
	x.report(it, x.keep(it, nil))
}

// doubled returns the time after so many failures.
func doubled(failures int) time.Duration {
	return firstWait << min(failures-1, 20)
}

// jittered returns something near d, so that what failed together does not come again together.
func jittered(d time.Duration) time.Duration {
	return d - d/10 + rand.N(d/5+1)
}
