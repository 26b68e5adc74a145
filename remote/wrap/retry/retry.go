// Package retry is a decorator that repeats calls which failed on the way. What the remote has
// answered is passed on at once (see remote.Permanent), and so is what the driver has repeated
// itself (remote.Repeated) and everything that cannot be repeated without a risk: a listing that
// has yielded something, a Put whose body cannot be read again, what is written to a stage.
//
// A call whose answer was lost may have done its work, or do it later (remote.Unanswered). When the
// result is there, that is a success: the name of a Remove is gone, a Mkdir meets its directory, a
// Move the file under the new name, a PutIf its own content. When it is not, the call is repeated
// only where that cannot harm what somebody else has stored since: a Remove or Rmdir is not, nor a
// Move of a file over another. They fail with an error that says so, for whoever knows the version
// that was meant; RemoveVersion and PutIf are repeated. A Put, a Copy or a Commit is repeated:
// among those who store at the same time, the last one wins.
package retry

import (
	"context"
	"errors"
	"iter"
	"time"

	"ferry/remote"
	"ferry/remote/wrap/intercept"
)

// Options say how often and how fast calls are repeated. The zero value is fine.
type Options struct {
	Attempts int // how often a call is made at most; 0 = 10, 1 = it is never repeated
	// Min is about how long it waits before the first repetition, each further time twice as long,
	// Max at most. A wait is shortened by up to half of it at random, so that many calls that
	// failed together do not come back together. 0 = 10 ms and 2 s.
	Min, Max time.Duration
	// Repeated is told of each repetition before it is made; nil = nobody. It may be called
	// concurrently.
	Repeated func()
}

// Remote is a remote whose calls are repeated.
type Remote struct {
	*intercept.Remote
	o Options
}

// New returns a decorator of r.
func New(r remote.Remote, o Options) *Remote {
	if o.Attempts == 0 {
		o.Attempts = 10
	}
	if o.Min == 0 {
		o.Min = 10 * time.Millisecond
	}
	if o.Max == 0 {
		o.Max = 2 * time.Second
	}
	again := &Remote{o: o}
	again.Remote = intercept.New(r, again.call)
	return again
}

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
