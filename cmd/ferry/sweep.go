package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"ferry/cmd/ferry/internal/flags"
	"ferry/remote"
)

// sweeping says when a remote is to remove unfinished uploads that are too old from directories
// that nobody lists. The zero value never does.
type sweeping struct {
	remote remote.Remote
	first  time.Duration // after the start
	every  time.Duration
}

// sweeping asks for about as many sweeps as parts live long, at least one each day and at most one
// each hour. The first one is when the remote trusts the clock.
func (o *options) sweeping(r remote.Remote) sweeping {
	const day = 24 * time.Hour
	if o.IsReadOnly() {
		return sweeping{}
	}
	age := flags.Unlimited(o.PartialMaxAge)
	if age <= 0 { // the remote may have another one of its own
		age = day
	}
	return sweeping{remote: r, first: min(age, time.Hour), every: min(max(age, time.Hour), day)}
}

// run sweeps until ctx ends, or the remote says that it cannot.
func (s sweeping) run(ctx context.Context, log *slog.Logger) {
	if s.remote == nil {
		return
	}
	next := time.NewTimer(s.first)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
		err := remote.SweepParts(ctx, s.remote)
		switch {
		case errors.Is(err, remote.ErrUnsupported) || ctx.Err() != nil:
			return
		case err != nil:
			log.WarnContext(ctx, "could not look for unfinished uploads that are too old", "error", err)
		}
		next.Reset(s.every)
	}
}
