package dropbox

import (
	"context"
	"sync/atomic"

	"ferry/remote"
)

// A doubt notes whether the answer to a change under its context was lost, instead of reporting
// it: it may still be found out.
type doubt struct {
	ctx  context.Context
	lost *atomic.Bool
}

func newDoubt(ctx context.Context) doubt {
	lost := new(atomic.Bool)
	return doubt{remote.WithUnanswered(ctx, func() { lost.Store(true) }), lost}
}

func (d doubt) doubt() bool { return d.lost.Load() }
