package source

import (
	"context"
	"time"

	"ferry/feed"
	"ferry/remote"
)

// A queue keeps messages until they are dropped.
type queue interface {
	// receive returns some messages, which nobody else gets for a while. It waits for some, unless
	// at is set that it answers at once.
	receive(ctx context.Context, atOnce bool) ([]queued, error)
	// drop removes messages.
	drop(ctx context.Context, all []queued) error
}

// A queued message has what the queue wants to hear to drop it.
type queued struct {
	feed.Message
	id, receipt string
}

// keepTime is how long every queue keeps messages at least.
const keepTime = 50 * time.Second

// A reader reads a queue.
type reader struct {
	queue
	pause time.Duration // between two questions, of a queue that does not wait
	last  time.Time     // it answered last
}

// Listen implements feed.Source. What waits in the queue when a process begins is read, too, and
// does no harm.
func (r *reader) Listen(ctx context.Context, f *feed.Feed) error {
	for first := true; ; first = false {
		all, err := r.receive(ctx, first)
		if err != nil {
			return err
		}
		if first {
			f.Begun(time.Since(r.last) > keepTime)
		}
		r.last = time.Now()
		for _, m := range all {
			f.Take(m.Message)
		}
		switch {
		case len(all) > 0:
			err = r.drop(ctx, all)
		case r.pause > 0:
			err = remote.Sleep(ctx, r.pause)
		}
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}
