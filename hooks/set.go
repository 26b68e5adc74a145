package hooks

import (
	"errors"
	"fmt"

	"ferry/disk"
	"ferry/events"
	"ferry/hooks/call"
	"ferry/hooks/settings"
)

// Set makes hooks those that are told, in the place of those before. What waits for one of the same
// name goes to it; what waits for one that is not there any more is kept. Hooks that are asked are
// left out. After an error all is as before.
func (x *Outbox) Set(hooks []settings.Hook) error {
	callers := map[string]caller{}
	told := map[string]settings.Hook{}
	for _, h := range hooks {
		if h.Facts() == 0 {
			continue
		}
		c, err := x.newCaller(h)
		if err != nil {
			for _, made := range callers {
				made.Close()
			}
			return fmt.Errorf("hook %q: %w", h.Name, err)
		}
		callers[h.Name], told[h.Name] = c, h
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(told) > 0 {
		err := x.open()
		if errors.Is(err, disk.ErrHeld) {
			return fmt.Errorf("the outbox of hooks: %w: stop that one, or give this one a --cache-dir of its own", err)
		}
		if err != nil {
			return fmt.Errorf("the outbox of hooks: %w", err)
		}
	}
	wants := events.Set(0)
	for name, h := range told {
		q := x.queue(name)
		q.hook, q.facts = h, h.Facts()
		wants |= h.Facts()
	}
	if wants.Has(events.UploadStored) { // whose name may change
		wants |= events.Of(events.Rename, events.Delete)
	}
	for name, q := range x.queues {
		if q.caller != nil {
			q.caller.Close()
		}
		q.caller, q.gone, q.failures = nil, false, 0
		if c := callers[name]; c != nil {
			q.caller = c
		}
	}
	x.wants.Store(uint64(wants))
	x.wakeUp()
	return nil
}

// newCaller returns what makes the calls of a hook.
func (x *Outbox) newCaller(h settings.Hook) (caller, error) {
	o, err := h.CallOptions()
	if err != nil {
		return nil, err
	}
	o.Source, o.Transport, o.Log = x.o.Source, x.o.Transport, x.o.Log
	c, err := call.New(o)
	if err != nil {
		return nil, err // not a typed nil
	}
	return c, nil
}
