package hooks

import (
	"context"
	"slices"
	"time"

	"ferry/events"
)

// askAgain is how long an open question waits when the remote gives no answer.
const askAgain = 10 * time.Second

// Answer answers the questions that an earlier process left, as far as that can be done before ctx
// ends. Run asks what is left again. It is called before the names are changed again.
func (x *Outbox) Answer(ctx context.Context) {
	for _, it := range x.questions() {
		if ctx.Err() != nil {
			return
		}
		x.resolve(ctx, it)
	}
}

// resolveAll answers the questions that an earlier process left.
func (x *Outbox) resolveAll(ctx context.Context) {
	open := x.questions()
	for len(open) > 0 {
		open = slices.DeleteFunc(open, func(it *item) bool { return ctx.Err() != nil || x.resolve(ctx, it) })
		if len(open) == 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(askAgain):
		}
	}
}

// questions returns what was prepared before this process, and what was being renamed.
func (x *Outbox) questions() []*item {
	x.mu.Lock()
	defer x.mu.Unlock()
	var open []*item
	for _, it := range x.order {
		if it.old && !it.gone && (it.state == prepared || it.maybe != "") {
			open = append(open, it)
		}
	}
	return open
}

// resolve finds out what became of it, and returns false if that is still not known.
func (x *Outbox) resolve(ctx context.Context, it *item) bool {
	x.mu.Lock()
	e, err := x.event(it)
	maybe := it.maybe
	x.mu.Unlock()
	if err == nil {
		e = copyOf(e) // Resolve may complete it
	}
	happened := true
	switch {
	case err != nil:
	case maybe != "" && x.o.Renamed != nil:
		happened, err = x.o.Renamed(ctx, e, nameAt(e, maybe))
	case maybe == "" && x.o.Resolve != nil:
		happened, err = x.o.Resolve(ctx, e)
	}
	if err != nil {
		if !it.asked { // by this goroutine, or before it began
			it.asked = true
			x.log.WarnContext(ctx, "it is not known yet what became of an upload when the server ended", "path", it.path, "error", err)
		}
		return false
	}
	defer x.wakeUp()
	x.mu.Lock()
	defer x.mu.Unlock()
	if maybe != "" {
		x.endRename(it, maybe, happened)
		return true
	}
	return x.endPrepared(it, e, happened)
}

// endRename gives an upload the name that it has.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) endRename(it *item, to string, happened bool) {
	switch {
	case it.gone || it.maybe != to || !it.changes(): // something else is known by now
	case happened:
		x.rename(it, to, time.Now())
	default:
		it.maybe = ""
		x.report(it, x.keep(it, nil))
	}
}

// endPrepared goes on with what was prepared, or removes it. It returns false if there is no hook
// that could say how long its name settles.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) endPrepared(it *item, e *events.Event, happened bool) bool {
	switch {
	case it.gone || it.state != prepared:
	case it.queue.caller == nil:
		return false
	case happened:
		x.confirm(it, e, time.Now())
	default:
		x.remove(it)
	}
	return true
}
