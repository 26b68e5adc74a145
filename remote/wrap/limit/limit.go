// Package limit is a decorator that keeps a remote from being used too fast: so many bytes per
// second each way, so many calls per second, so many connections at once. Whoever would use more
// waits, as long as its context allows.
package limit

import (
	"context"
	"io/fs"
	"time"

	"golang.org/x/time/rate"

	"ferry/remote"
	"ferry/remote/wrap/intercept"
)

// Options are the limits. The zero value has none.
type Options struct {
	// Bandwidth returns how many bytes per second may go to the remote and come from it at a time;
	// 0 and less is no limit. It is asked again for every few bytes. nil = no limit.
	Bandwidth func(time.Time) (up, down int64)

	// Rate is how many calls may begin per second; 0 = no limit. A call counts once, however many
	// requests the remote makes of it. Burst calls may begin at once after a time without any; 0 =
	// 1.
	Rate  float64
	Burst int

	// Connections is how many calls may be under way at once; 0 = no limit. A reader is under way
	// until it is closed, a stage while it is written to or published; a listing is not while its
	// consumer looks at an entry, and a watch never. Of two and more connections one is only for
	// calls that are over soon: slow downloads and uploads do not keep anybody from listing.
	//
	// A Put whose body is read from the same remote takes two, one after the other: when there are
	// only as many as there are such Puts, they wait for each other until their contexts end.
	Connections int
}

// Remote is a remote with limits.
type Remote struct {
	*intercept.Remote
	o         Options
	calls     *rate.Limiter // a token is a call; nil = no limit
	up, down  *rate.Limiter // a token is a nanosecond of transfer, as rates follow a timetable
	slots     chan struct{} // as many as there are calls under way; nil = no limit
	longSlots chan struct{} // as many as there are of those that can last
}

// New returns a decorator of r.
func New(r remote.Remote, o Options) *Remote {
	l := &Remote{o: o, up: newClock(), down: newClock()}
	l.Remote = intercept.New(r, l.call)
	if o.Rate > 0 {
		l.calls = rate.NewLimiter(rate.Limit(o.Rate), max(o.Burst, 1))
	}
	if o.Connections > 0 {
		l.slots = make(chan struct{}, o.Connections)
		l.longSlots = make(chan struct{}, max(o.Connections-1, 1))
	}
	return l
}

// call is around every call.
func (r *Remote) call(ctx context.Context, c *intercept.Call) error {
	var err error
	switch c.Op {
	case intercept.CheckTarget:
		return c.Do(ctx)
	case intercept.List:
		return r.list(ctx, c)
	case intercept.Open:
		return r.open(ctx, c)
	case intercept.Put:
		if r.o.Bandwidth != nil {
			c.Body = r.slow(ctx, c.Body, up)
		}
		return r.long(ctx, c)
	case intercept.Stage:
		if err = r.short(ctx, c); err == nil {
			r.limitStage(ctx, c)
		}
		return err
	case intercept.Commit:
		err = r.long(ctx, c)
	case intercept.Keep, intercept.Abort:
		err = c.Do(ctx)
	default:
		return r.short(ctx, c)
	}
	if stop := c.State.(context.CancelCauseFunc); c.Op != intercept.Commit || err == nil {
		stop(fs.ErrClosed) // what waits to write to the stage
	}
	return err
}

// short makes a call that is over soon.
func (r *Remote) short(ctx context.Context, c *intercept.Call) error {
	if err := r.enter(ctx, r.take, r.leave); err != nil {
		return refused(c.Op, c.Name, err)
	}
	defer r.leave()
	return c.Do(ctx)
}

// long makes a call that can last, and is over when it returns.
func (r *Remote) long(ctx context.Context, c *intercept.Call) error {
	if err := r.enter(ctx, r.takeLong, r.leaveLong); err != nil {
		return refused(c.Op, c.Name, err)
	}
	defer r.leaveLong()
	return c.Do(ctx)
}

// list leaves the connection free while an entry is looked at, so that the consumer may make calls
// of its own.
func (r *Remote) list(ctx context.Context, c *intercept.Call) error {
	if err := r.enter(ctx, r.take, r.leave); err != nil {
		return refused(c.Op, c.Name, err)
	}
	inside := true
	defer func() {
		if inside {
			r.leave()
		}
	}()
	name, yield := c.Name, c.Yield
	c.Yield = func(e remote.Entry, err error) bool {
		r.leave()
		inside = false
		if !yield(e, err) || err != nil {
			return false
		}
		if err := r.take(ctx); err != nil {
			yield(remote.Entry{}, refused(intercept.List, name, err))
			return false
		}
		inside = true
		return true
	}
	return c.Do(ctx)
}
