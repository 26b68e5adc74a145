package hooks

import (
	"context"
	"slices"
	"time"
)

// askAgain is how long an open question waits when the remote gives no answer.
const askAgain = 10 * time.Second

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

// questions returns what was prepared before this process.
func (x *Outbox) questions() []*item {
	x.mu.Lock()
	defer x.mu.Unlock()
	var open []*item
	for _, it := range x.order {
		if it.old && it.state == prepared && !it.gone {
			open = append(open, it)
		}
	}
	return open
}

// resolve finds out what became of it, and returns false if that is still not known.
func (x *Outbox) resolve(ctx context.Context, it *item) bool {
	x.mu.Lock()
	e, err := x.event(it)
	x.mu.Unlock()
	happened := true
	if err == nil && x.o.Resolve != nil {
		happened, err = x.o.Resolve(ctx, e)
	}
	if err != nil {
		x.log.WarnContext(ctx, "it is not known yet whether an upload was stored before the server ended", "path", it.path, "error", err)
		return false
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case it.gone || it.state != prepared:
	case it.queue.caller == nil:
		return false // how long its name settles says the hook
	case happened:
		x.confirm(it, e, time.Now())
	default:
		x.remove(it)
	}
	x.wakeUp()
	return true
}
