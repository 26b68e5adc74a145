package faulty

import (
	"context"
	"io"

	"ferry/remote"
	"ferry/remote/wrap/intercept"
)

// call is around every call.
func (r *Remote) call(ctx context.Context, c *intercept.Call) error {
	if c.Op == intercept.CheckTarget {
		return c.Do(ctx)
	}
	f := r.pick(c.Op, c.Name)
	switch {
	case f != nil && f.sends(c.Op):
		return r.sendCall(ctx, f, c)
	case f != nil:
		if err := f.wait(ctx, c.Op, c.Name); err != nil {
			return err
		}
	}
	switch c.Op {
	case List:
		return r.list(ctx, f, c)
	case Open:
		return r.open(ctx, f, c)
	case Put:
		return r.put(ctx, f, c)
	case Stage:
		return r.stage(ctx, f, c)
	}
	return r.answer(ctx, f, c)
}

// answer makes a call that meets f, which may be nil, and that does not wait any more.
func (r *Remote) answer(ctx context.Context, f *Fault, c *intercept.Call) error {
	switch {
	case f == nil, f.Slow:
		return c.Do(ctx)
	case f.Late:
		if err := c.Do(ctx); err != nil {
			return err
		}
		if changes(c.Op) {
			remote.Unanswered(ctx)
		}
	}
	return r.fault(f, c.Op, c.Name)
}

// list breaks off after some entries.
func (r *Remote) list(ctx context.Context, f *Fault, c *intercept.Call) error {
	if f == nil || f.Slow {
		return c.Do(ctx)
	}
	left, over, yield := f.After, false, c.Yield
	c.Yield = func(e remote.Entry, err error) bool {
		if left == 0 && !f.Late {
			return false
		}
		left--
		over = !yield(e, err) || err != nil
		return !over
	}
	if err := c.Do(ctx); over {
		return err
	}
	err := r.fault(f, List, c.Name)
	yield(remote.Entry{}, err)
	return nil // the consumer has it
}

// open may return a reader that breaks off.
func (r *Remote) open(ctx context.Context, f *Fault, c *intercept.Call) error {
	if err := r.answer(ctx, f, c); err != nil {
		return err
	}
	if f := r.pick(Read, c.Name); f != nil {
		c.Reader = &reader{r: r, f: f, op: Read, name: c.Name, left: f.After, inner: c.Reader}
	}
	return nil
}

// put lets the body break off, unless the fault is slow or leaves the change in doubt.
func (r *Remote) put(ctx context.Context, f *Fault, c *intercept.Call) error {
	if f == nil || f.Slow || f.Late {
		return r.answer(ctx, f, c)
	}
	c.Body = &reader{r: r, f: f, op: Put, name: c.Name, left: f.After, inner: io.NopCloser(c.Body)}
	return c.Do(ctx)
}

// stage begins one whose calls can go wrong.
func (r *Remote) stage(ctx context.Context, f *Fault, c *intercept.Call) error {
	if err := r.answer(ctx, f, c); err != nil {
		return err
	}
	s := &stage{Stage: c.Stage, r: r, name: c.Name, content: r.captured(ctx, c.Name, c.Upload)}
	if s.write = r.pick(Write, c.Name); s.write != nil {
		s.left = s.write.After
	}
	c.Stage, c.State = s, s
	return nil
}
