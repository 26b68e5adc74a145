package writeback

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"ferry/remote"
)

// pendingAt returns the pending changes at names, above and below them.
func (v *Tree) pendingAt(names ...string) []*change {
	v.mu.Lock()
	few, ok := v.fewPendingAt(names...)
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

// fewPendingAt is pendingAt if they are found quickly; otherwise it returns false.
// LOCKS_REQUIRED(v.mu)
func (v *Tree) fewPendingAt(names ...string) ([]*change, bool) {
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

// Flush implements Pending. Pending changes above path are sent too.
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

// flushFirst sends the pending changes that conflict with a change of names on the remote, and
// fails as soon as an attempt does. Refused changes do not conflict. The caller has locked the
// names.
func (v *Tree) flushFirst(ctx context.Context, names ...string) error {
	for _, c := range v.expedite(names...) {
		if _, err := v.await(ctx, true, c); err != nil {
			return err
		}
	}
	return v.release(ctx, names...)
}

// expedite makes the pending changes at names, above and below them urgent, and returns them.
func (v *Tree) expedite(names ...string) []*change {
	waiting := v.pendingAt(names...)
	v.inBatches(waiting, func(c *change) {
		if !c.dead { // else await expedites its successor
			v.queue.expedite(c)
		}
	})
	v.signal()
	return waiting
}

// await waits until c and its successors are applied. If the last was refused, it returns the
// reason as refused. With once, a failed attempt is an error.
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

// successor returns the change that superseded c, and makes it urgent too.
func (v *Tree) successor(c *change) *change {
	v.mu.Lock()
	defer v.mu.Unlock()
	if c.next != nil && !c.next.dead {
		v.queue.expedite(c.next)
		v.signal()
	}
	return c.next
}
