package writeback

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"ferry/remote"
)

// waitingAt returns what waits at names, above and below them.
func (v *Tree) waitingAt(names ...string) []*change {
	v.mu.Lock()
	few, ok := v.fewWaitingAt(names...)
	v.mu.Unlock()
	if ok {
		return few
	}
	return slices.DeleteFunc(v.changes(), func(c *change) bool {
		for path := range v.pending.paths(c) {
			for _, name := range names {
				if v.pending.related(path, name) {
					return false
				}
			}
		}
		return true
	})
}

// fewWaitingAt is waitingAt where that is soon found; otherwise it is false.
// LOCKS_REQUIRED(v.mu)
func (v *Tree) fewWaitingAt(names ...string) ([]*change, bool) {
	seen := map[*change]bool{}
	var found []*change
	visits := 0
	for c := range v.pending.touching(names...) {
		if visits++; visits > batch {
			return nil, false
		}
		if !seen[c] && !c.dead && !c.refused {
			seen[c] = true
			found = append(found, c)
		}
	}
	return found, true
}

// related reports whether a and b are one path, or one is above the other.
func (p *pending) related(a, b string) bool {
	a, b = p.keyOf(a), p.keyOf(b)
	return a == b || remote.Below(a, b) || remote.Below(b, a)
}

// Flush implements Pending. What waits above path is sent too.
func (v *Tree) Flush(ctx context.Context, path string) error {
	var errs []error
	for _, c := range v.expedite(path) {
		refused, err := v.await(ctx, false, c)
		if refused == nil && err != nil {
			return err
		}
		errs = append(errs, refused)
	}
	return errors.Join(errs...)
}

// flushFirst sends what stands in the way of a change of names that is made on the remote, and
// fails as soon as an attempt does. What is refused for good is no longer in the way. The caller
// has locked the names.
func (v *Tree) flushFirst(ctx context.Context, names ...string) error {
	for _, c := range v.expedite(names...) {
		if _, err := v.await(ctx, true, c); err != nil {
			return err
		}
	}
	return v.release(ctx, names...)
}

// expedite has what waits at names, above and below them sent at once, and returns it.
func (v *Tree) expedite(names ...string) []*change {
	waiting := v.waitingAt(names...)
	v.inBatches(waiting, func(c *change) {
		if !c.dead { // else what took its place is expedited by who awaits it
			v.queue.expedite(c)
		}
	})
	v.signal()
	return waiting
}

// await waits until c, and what has taken its place, is on the remote, and returns why it was
// refused if it was. With once an attempt that fails is an error.
func (v *Tree) await(ctx context.Context, once bool, c *change) (refused, err error) {
	for c != nil {
		v.mu.Lock()
		tried := c.tried
		v.mu.Unlock()
		select {
		case <-c.gone:
			if c.err != nil {
				return fmt.Errorf("%s was refused: %w", c.rec.Name, c.err), nil
			}
			c = v.successor(c)
		case <-c.applied:
			return nil, nil
		case <-tried:
			if once {
				return nil, v.failure(c)
			}
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return nil, nil
}

func (v *Tree) failure(c *change) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return c.failed
}

// successor returns what has taken the place of c, which is to be sent at once too.
func (v *Tree) successor(c *change) *change {
	v.mu.Lock()
	defer v.mu.Unlock()
	if c.next != nil && !c.next.dead {
		v.queue.expedite(c.next)
		v.signal()
	}
	return c.next
}
