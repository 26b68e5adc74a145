package dropbox

import (
	"context"
	"sync/atomic"

	"ferry/remote"
)

// doubting returns a context under which it is noted when the answer to a change is lost, instead
// of reported: it may still be found out.
func doubting(ctx context.Context) (context.Context, *atomic.Bool) {
	lost := new(atomic.Bool)
	return remote.WithUnanswered(ctx, func() { lost.Store(true) }), lost
}
