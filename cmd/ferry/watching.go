package main

import (
	"context"
	"log/slog"

	"ferry/cmd/ferry/internal/metricsbridge"
	"ferry/cmd/ferry/internal/systemd"
)

// openMetrics opens what tells others how the process is, and counts where somebody can ask for
// that.
func openMetrics(ctx context.Context, o *options, log *slog.Logger) (*listening, error) {
	var err error
	if o.watched, err = metricsbridge.Open(ctx, &o.Options, o.sockets.Take(systemd.Metrics), version(), log); err != nil {
		return nil, err
	}
	subscription, counts := o.watched.Subscription()
	if !counts {
		return nil, nil
	}
	return &listening{name: "metrics", Subscription: subscription, close: o.watched.Close}, nil
}
