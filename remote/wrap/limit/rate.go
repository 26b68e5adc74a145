package limit

import (
	"context"
	"ferry/remote"
	"time"

	"golang.org/x/time/rate"
)

// begin waits until it is time for a call.
func (r *Remote) begin(ctx context.Context) error {
	if r.calls == nil {
		return nil
	}
	return wait(ctx, r.calls, 1)
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

// newClock returns a limiter that has a nanosecond each nanosecond.
func newClock() *rate.Limiter { return rate.NewLimiter(rate.Limit(time.Second), int(slack)) }

// slack is how far bytes may be ahead of their time, so that nothing is lost when a timer is late.
const slack = 10 * time.Millisecond

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
	err := remote.Sleep(ctx, r.Delay())
	if err != nil {
		r.Cancel()
	}
	return err
}
