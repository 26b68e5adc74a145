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

// enter waits until a call may begin that has the connection of take.
func (r *Remote) enter(ctx context.Context, take func(context.Context) error, leave func()) error {
	err := take(ctx)
	if err == nil {
		if err = r.begin(ctx); err != nil {
			leave()
		}
	}
	return err
}

func refused(op intercept.Op, name string, err error) error {
	return &fs.PathError{Op: string(op), Path: name, Err: err}
}

// begin waits until it is time for a call.
func (r *Remote) begin(ctx context.Context) error {
	if r.calls == nil {
		return nil
	}
	return wait(ctx, r.calls, 1)
}

// wait takes n tokens of l, as many at once as it can have. It waits until ctx ends, also where l
// knows before that this is too soon.
func wait(ctx context.Context, l *rate.Limiter, n int64) error {
	for n > 0 {
		now, some := time.Now(), int(min(n, int64(l.Burst())))
		if !l.AllowN(now, some) {
			if err := sleep(ctx, l.ReserveN(now, some)); err != nil {
				return err
			}
		}
		n -= int64(some)
	}
	return nil
}

// sleep waits for what is reserved. When ctx ends before, others may have it.
func sleep(ctx context.Context, r *rate.Reservation) error {
	t := time.NewTimer(r.Delay())
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		r.Cancel()
		return context.Cause(ctx)
	}
}

// take waits for a free slot.
func (r *Remote) take(ctx context.Context) error { return take(ctx, r.slots) }

// takeLong waits for a free slot for a call that can last.
func (r *Remote) takeLong(ctx context.Context) error {
	if err := take(ctx, r.longSlots); err != nil {
		return err
	}
	err := take(ctx, r.slots)
	if err != nil {
		leave(r.longSlots)
	}
	return err
}

// leave gives a slot back.
func (r *Remote) leave() { leave(r.slots) }

func (r *Remote) leaveLong() {
	leave(r.slots)
	leave(r.longSlots)
}

func take(ctx context.Context, slots chan struct{}) error {
	if slots == nil {
		return nil
	}
	select {
	case slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func leave(slots chan struct{}) {
	if slots != nil {
		<-slots
	}
}

// A direction is one of the two ways of bytes.
type direction bool

const (
	up   direction = true
	down direction = false
)

// piece is how many bytes may pass before the next look at the clock: those of a tenth of a second,
// want at most.
func (r *Remote) piece(d direction, want int) int {
	rate := r.rate(d)
	if rate <= 0 {
		return want
	}
	return int(min(int64(want), max(rate/10, 1)))
}

// pay waits until n bytes have had their time.
func (r *Remote) pay(ctx context.Context, d direction, n int) error {
	rate := r.rate(d)
	if rate <= 0 || n == 0 {
		return nil
	}
	clock := r.down
	if d == up {
		clock = r.up
	}
	return wait(ctx, clock, int64(float64(n)/float64(rate)*float64(time.Second)))
}

// newClock returns a limiter that has a nanosecond each nanosecond.
func newClock() *rate.Limiter { return rate.NewLimiter(rate.Limit(time.Second), int(slack)) }

// slack is how far bytes may be ahead of their time, so that nothing is lost when a timer is late.
const slack = 10 * time.Millisecond

// rate is the limit in force.
func (r *Remote) rate(d direction) int64 {
	if r.o.Bandwidth == nil {
		return 0
	}
	toRemote, fromRemote := r.o.Bandwidth(time.Now())
	if d == up {
		return toRemote
	}
	return fromRemote
}
