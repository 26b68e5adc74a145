package retry

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"time"

	"ferry/remote"
)

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
		remote.Congested(ctx)
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
	if err := remote.Sleep(ctx, r.pause(before)); err != nil {
		return &fs.PathError{Op: op, Path: name, Err: fmt.Errorf("%w, while it was to be repeated after: %w", err, why)}
	}
	if r.o.Repeated != nil {
		r.o.Repeated()
	}
	return nil
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
