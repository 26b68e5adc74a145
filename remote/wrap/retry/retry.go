// Package retry is a decorator that repeats calls which failed on the way. What the remote has
// answered is passed on at once (see remote.Permanent), and so is what the driver has repeated
// itself (remote.Repeated) and everything that cannot be repeated without a risk: a listing that
// has yielded something, a Put whose body cannot be read again, what is written to a stage.
//
// A call whose answer was lost may have done its work, or do it later (remote.Unanswered). When the
// result is there, that is a success: the name of a Remove is gone, a Mkdir meets its directory, a
// Move the file under the new name. When it is not, the call is repeated only where that cannot
// harm what somebody else has stored since: a Remove or Rmdir is not, nor a Move of a file over
// another. They fail with an error that says so, for whoever knows the version that was meant;
// RemoveVersion is repeated. A Put, a Copy or a Commit is repeated: among those who store at the
// same time, the last one wins.
package retry

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
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

// repeat makes attempts until one succeeds, has a permanent answer, or was the last. Each is told
// how many there were before it.
func (r *Remote) repeat(ctx context.Context, op, name string, attempt func(before int) error) error {
	for before := 0; ; before++ {
		err := attempt(before)
		if err == nil || remote.Permanent(err) || remote.WasRepeated(err) || isUncertain(err) || ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
			return err
		}
		if before+1 >= r.o.Attempts {
			return exhausted(before+1, err)
		}
		if err := r.wait(ctx, op, name, before, err); err != nil {
			return err
		}
	}
}

// exhausted is the error of the last attempt.
func exhausted(attempts int, err error) error {
	if attempts <= 1 {
		return err
	}
	return fmt.Errorf("%w (after %d attempts)", err, attempts)
}

// wait is the time between an attempt that failed with why, and the next. If ctx has ended or ends,
// that is the error.
func (r *Remote) wait(ctx context.Context, op, name string, before int, why error) error {
	t := time.NewTimer(r.pause(before))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return &fs.PathError{Op: op, Path: name, Err: fmt.Errorf("%w, while it was to be repeated after: %w", context.Cause(ctx), why)}
	}
}

// pause is how long to wait before the next attempt.
func (r *Remote) pause(before int) time.Duration {
	d := r.o.Min
	for range before {
		if d >= r.o.Max {
			break
		}
		d *= 2
	}
	d = min(d, r.o.Max)
	return d - rand.N(d/2+1)
}
