package drive

import (
	"context"
	"sync/atomic"
	"time"

	"ferry/remote"
)

// settleTime is how long finding out may take what became of a change whose answer was lost.
const settleTime = 5 * time.Second

// settled makes a change by call. If its answer was lost, made finds out whether it was made for
// good; if it was not, or that stays open, the change is in doubt.
func settled(ctx context.Context, call func(context.Context) error, made func(context.Context) bool) error {
	var lost atomic.Bool
	err := call(remote.WithUnanswered(ctx, func() { lost.Store(true) }))
	if !lost.Load() || err == nil {
		return err
	}
	settling, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	if made(settling) {
		return nil
	}
	remote.Unanswered(ctx)
	return err
}
