package main

import (
	"context"
	"log/slog"
	"time"

	"ferry/config"
	"ferry/ftp"
	"ferry/remote/wrap/count"
	"ferry/vfs"
)

// stats logs now and then what the server and the remote did.
type stats struct {
	every  time.Duration // 0 = never
	level  slog.Level
	log    *slog.Logger
	server *ftp.Server
	tree   *vfs.FS
	counts *count.Remote
}

// run logs until ctx ends.
func (s *stats) run(ctx context.Context) {
	if s.every <= 0 || !s.log.Enabled(ctx, s.level) {
		return
	}
	ticker := time.NewTicker(s.every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.log.Log(ctx, s.level, "statistics", s.attrs()...)
		case <-ctx.Done():
			return
		}
	}
}

func (s *stats) attrs() []any {
	of, on := s.server.Stats(), s.counts.Stats()
	var calls, failed int64
	for _, m := range on.Methods {
		calls += m.Calls
		failed += m.Errors
	}
	w := s.tree.Waiting()
	return []any{
		"sessions", len(s.server.Sessions()), "uploads", of.Uploads, "downloads", of.Downloads - of.Listings, "failed", of.Failed,
		"received", config.Size(of.BytesReceived).String(), "sent", config.Size(of.BytesSent).String(),
		"calls", calls, "errors", failed, "up", config.Size(on.Up).String(), "down", config.Size(on.Down).String(),
		"waiting", w.Changes, "size", config.Size(w.Bytes).String(),
	}
}

// logCounts logs what the driver was asked to do.
func logCounts(ctx context.Context, log *slog.Logger, counts *count.Remote) {
	s := counts.Stats()
	var calls, errs int64
	for _, m := range s.Methods {
		calls += m.Calls
		errs += m.Errors
	}
	log.InfoContext(ctx, "the remote was used", "remote", counts.Info().Name, "calls", calls, "errors", errs, "up", s.Up, "down", s.Down)
}
