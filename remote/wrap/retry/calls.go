package retry

import (
	"context"
	"errors"
	"iter"

	"ferry/remote"
	"ferry/remote/wrap/intercept"
)

// call repeats what can be repeated as it is. The other calls have methods of their own.
func (r *Remote) call(ctx context.Context, c *intercept.Call) error {
	switch c.Op {
	case intercept.Stat, intercept.Copy, intercept.SetModTime, intercept.SetMode, intercept.Hash, intercept.Usage, intercept.Part:
		return r.repeat(ctx, string(c.Op), c.Name, func(int) error { return c.Do(ctx) })
	case intercept.DropPart:
		return r.repeat(ctx, string(c.Op), c.Name, func(before int) error {
			err := c.Do(ctx)
			if before > 0 && errors.Is(err, remote.ErrNotExist) {
				return nil
			}
			return err
		})
	}
	return c.Do(ctx)
}

// List implements remote.Remote. It begins again only as long as nothing was yielded: a second
// listing may come in another order.
func (r *Remote) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		var cut error // what ended the listing after it had begun
		err := r.repeat(ctx, "list", dir, func(int) error {
			begun := false
			for e, err := range r.Forward.List(ctx, dir) {
				if err != nil && begun {
					cut = err
					return nil
				}
				if err != nil {
					return err
				}
				begun = true
				if !yield(e, nil) {
					return nil
				}
			}
			return nil
		})
		if err == nil {
			err = cut
		}
		if err != nil {
			yield(remote.Entry{}, err)
		}
	}
}
