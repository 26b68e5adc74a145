package main

import (
	"context"
	"syscall"
	"time"

	"ferry/cmd/ferry/internal/logging"
	"ferry/config"
	"ferry/writeback"
)

// drainReport is how often it is told what is left.
const drainReport = 5 * time.Second

// drain sends what waits for the remote, within the time that --shutdown-flush gives, and tells
// what is left. Another signal ends that. Nothing is lost by it: what is left is sent after the
// next start.
func (s *service) drain(ctx context.Context) error {
	if s.stack.tree.Waiting().Changes == 0 {
		return nil
	}
	if s.flush > 0 {
		s.flushWithin(ctx)
	}
	if w := s.stack.tree.Waiting(); w.Changes > 0 {
		s.log.Log(ctx, logging.Notice, "what has not been sent is kept in the cache, and is sent after the next start", s.waitingAttrs(w)...)
	}
	return nil
}

func (s *service) flushWithin(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, s.flush)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		done <- writeback.Drain(ctx, s.stack.tree, drainReport, func(w writeback.Waiting) {
			if w.Changes > 0 {
				s.log.Log(ctx, logging.Notice, "sending what waits for the remote", s.waitingAttrs(w)...)
			}
		})
	}()
	for {
		select {
		case err := <-done:
			if err != nil && ctx.Err() == nil {
				s.log.ErrorContext(ctx, "not everything could be sent", "error", err)
			}
			return
		case sig := <-s.signals:
			if sig != syscall.SIGHUP {
				cancel()
			}
		}
	}
}

func (s *service) waitingAttrs(w writeback.Waiting) []any {
	attrs := []any{"changes", w.Changes, "size", config.Size(w.Bytes).String()}
	if w.LastError != nil {
		attrs = append(attrs, "failing", w.Failing, "error", w.LastError)
	}
	return attrs
}
