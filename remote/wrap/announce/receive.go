package announce

import (
	"context"
	"time"

	"ferry/remote"
)

// heard waits until messages are heard, for some time.
func (x *Exchange) heard(ctx context.Context, patience time.Duration) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-x.begun:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// receive hears messages until ctx ends.
func (x *Exchange) receive(ctx context.Context) {
	for ctx.Err() == nil {
		for m, err := range x.o.Engine.Subscribe(ctx, subject) {
			switch {
			case err != nil && ctx.Err() != nil:
				return
			case err != nil:
				x.o.Log.WarnContext(ctx, "changes through other nodes are not heard; trying again", "error", err)
			case m.Gap:
				x.gap()
			default:
				x.apply(ctx, m.Data)
			}
		}
		if remote.Sleep(ctx, lastWait) != nil {
			return
		}
	}
}

// gap has everybody take everything for changed.
func (x *Exchange) gap() {
	x.mu.Lock()
	defer x.mu.Unlock()
	select {
	case <-x.begun:
		x.status.Gaps++
	default:
		close(x.begun)
	}
	x.status.Heard, x.seen = true, time.Now()
	x.hearAgain()
	x.everything()
}

// apply tells what a message says.
func (x *Exchange) apply(ctx context.Context, data []byte) {
	m, all, err := decode(data)
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case err != nil:
		x.o.Log.WarnContext(ctx, "a message of another node is not understood: everything is taken for changed; run one version of ferry on all nodes",
			"node", m.Node, "error", err)
		x.everything()
	case m.From == x.id:
		if !x.status.Heard {
			x.hearAgain()
		}
		x.status.Heard, x.seen = true, time.Now()
		x.status.Lag = max(time.Since(m.At), 0)
	case len(all) == 0:
		x.heardOf(m)
	default:
		x.heardOf(m)
		x.status.Received++
		x.status.Changes += uint64(len(all))
		for _, n := range all {
			x.hand(nil, n)
		}
	}
}

// mind looks whether own messages come back, and those of others go on. While they do not,
// everything is taken for changed from time to time.
func (x *Exchange) mind(ctx context.Context) {
	told := time.Now()
	for remote.Sleep(ctx, lifeSign) == nil {
		x.mu.Lock()
		if x.status.Heard && time.Since(x.seen) > silence {
			x.status.Heard = false
		}
		lost, missing := false, false
		if x.status.Heard {
			lost, missing = x.missed(ctx)
		}
		switch {
		case lost, (missing || !x.status.Heard) && time.Since(told) >= AwayTime:
			told = time.Now()
			x.everything()
		case !missing && x.status.Heard:
			told = time.Now()
		}
		x.mu.Unlock()
	}
}
