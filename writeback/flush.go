package writeback

import (
	"context"
	"errors"
	"fmt"
)

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

// release ends the rechecks of changes applied at names, above and below them, with a last one:
// they are about to be changed on the remote in another way. The caller has locked the names.
func (v *Tree) release(ctx context.Context, names ...string) error {
	applied := v.appliedAt(names...)
	if len(applied) == 0 {
		return nil
	}
	if err := v.doubts.await(ctx, names...); err != nil {
		return err
	}
	v.mu.Lock()
	for _, c := range applied {
		c.released = true
		v.queue.expedite(c)
	}
	v.signal()
	v.mu.Unlock()
	for _, c := range applied {
		select {
		case <-c.gone:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
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

// removedDirFirst waits until the directory that c removes is gone on the remote: until then no
// file can have its name.
func (v *Tree) removedDirFirst(ctx context.Context, c *change) error {
	v.mu.Lock()
	if !c.dead {
		v.queue.expedite(c)
		v.signal()
	}
	v.mu.Unlock()
	_, err := v.await(ctx, true, c)
	return err
}

// gone waits until c, whose content is gone, is not pending any more, and reports whether that
// happened.
func (v *Tree) gone(ctx context.Context, c *change) bool {
	v.mu.Lock()
	leaving := c.ending || c.dead || c.pinned != nil
	v.mu.Unlock()
	if !leaving {
		return false
	}
	select {
	case <-c.gone:
		return true
	case <-ctx.Done():
		return false
	}
}
