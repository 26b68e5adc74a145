package main

import (
	"context"
	"log/slog"
	"time"

	"ferry/cmd/ferry/internal/logging"
	"ferry/remote"
)

// polling is what there is to say of a remote that does not tell what changes on it.
type polling struct {
	remote string // its name
	level  slog.Level
}

func (o *options) polling(r remote.Remote) polling {
	p := polling{r.Info().Name, slog.LevelInfo}
	if o.Given("poll-interval") && o.UsedPollInterval() > 0 {
		p.level = logging.Notice
	}
	return p
}

// watch has the tree forget what changes on the far side, until ctx ends. It begins by forgetting
// everything, and closes settled behind that.
func (p polling) watch(ctx context.Context, st *stack, settled chan struct{}) {
	if st.tree.Watch(ctx, func() { close(settled) }) != nil {
		st.log.Log(ctx, p.level, "polling for changes is not supported by "+p.remote)
	}
}

// settleTime is how long the beginning of a watch is waited for.
const settleTime = 5 * time.Second

// settle waits until what is listed will not be forgotten at once.
func settle(ctx context.Context, settled chan struct{}) {
	select {
	case <-settled:
	case <-time.After(settleTime):
	case <-ctx.Done():
	}
}
