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
	feeds  bool // there are change feeds, which tell nothing of it
}

func (o *options) polling(r remote.Remote) polling {
	p := polling{remote: r.Info().Name, level: slog.LevelInfo, feeds: len(o.Cluster.Feeds) > 0}
	if o.Given("poll-interval") && o.UsedPollInterval() > 0 {
		p.level = logging.Notice
	}
	return p
}

// watch has the tree forget what changes on the far side, until ctx ends. It begins by forgetting
// everything, and closes settled behind that.
func (p polling) watch(ctx context.Context, st *stack, settled chan struct{}) {
	if st.tree.Watch(ctx, func() { close(settled) }) != nil {
		if p.feeds {
			st.log.WarnContext(ctx, "--change-feed tells of objects in buckets, and of nothing on "+p.remote+": what others change there shows after --dir-cache-time")
			return
		}
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
