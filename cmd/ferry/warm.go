package main

import (
	"context"
	"log/slog"
	"time"

	"ferry/cmd/ferry/internal/logging"
	"ferry/dircache"
)

// warmNews is how often the log says how far --vfs-refresh has come.
const warmNews = 10 * time.Second

// maxCheckers is how many directories are listed at a time at most.
const maxCheckers = 256

// refresh lists the whole tree once ways to hear of changes have settled, and logs how far it has
// come.
func (s *stack) refresh(ctx context.Context, parallel int, settled chan struct{}) {
	settle(ctx, settled)
	begun := time.Now()
	last := begun
	got, err := s.tree.Warm(ctx, parallel, func(w dircache.Warmed) {
		if time.Since(last) >= warmNews {
			last = time.Now()
			s.log.Log(ctx, logging.Notice, "listing the tree", "dirs", w.Dirs, "files", w.Files)
		}
	})
	if err != nil {
		return // it was told to stop
	}
	if got.Err != nil {
		s.log.WarnContext(ctx, "some directories could not be listed", "failed", got.Failed, "error", got.Err)
	}
	what := "listed the tree"
	if got.Full {
		what = "listed a part of the tree: no more can be remembered"
	}
	s.log.Log(ctx, logging.Notice, what, slog.Int("dirs", got.Dirs), slog.Int("files", got.Files), slog.Duration("took", time.Since(begun)))
}
