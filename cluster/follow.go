package cluster

import (
	"context"
	"time"
)

// again is how long after a Watch or a Subscribe has broken off it is begun anew.
const again = time.Second

// Values calls f with all that Watch yields of a bucket, one after the other, until ctx ends: where
// a Watch breaks off it is begun anew. It returns the cause of the end.
func Values(ctx context.Context, e Engine, bucket string, f func(Value)) error {
	for {
		for v, err := range e.Watch(ctx, bucket) {
			if err != nil {
				break
			}
			f(v)
		}
		if err := pause(ctx, again); err != nil {
			return err
		}
	}
}

// Messages is Values for what Subscribe yields of a subject.
func Messages(ctx context.Context, e Engine, subject string, f func(Message)) error {
	for {
		for m, err := range e.Subscribe(ctx, subject) {
			if err != nil {
				break
			}
			f(m)
		}
		if err := pause(ctx, again); err != nil {
			return err
		}
	}
}

// pause returns nil after d, or the cause of the end of ctx.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
