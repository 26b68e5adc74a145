package main

import (
	"context"
	"sync"
	"syscall"
	"time"

	"ferry/cmd/ferry/internal/logging"
	"ferry/config"
	"ferry/vfs"
	"ferry/writeback"
)

// drainReport is how often it is told what is left.
const drainReport = 5 * time.Second

// drain sends what waits for the remotes, within the time that --shutdown-flush gives, and tells
// what is left. Another signal ends that. Nothing is lost by it: what is left is sent after the
// next start.
func (s *service) drain(ctx context.Context) error {
	var trees []*vfs.FS
	s.eachTree(func(tree *vfs.FS) {
		if tree.Waiting().Changes > 0 {
			trees = append(trees, tree)
		}
	})
	if s.flush > 0 && len(trees) > 0 {
		s.flushWithin(ctx, trees)
	}
	if s.handing != nil && !s.atOnce {
		return nil
	}
	for _, tree := range trees {
		if w := tree.Waiting(); w.Changes > 0 {
			s.log.Log(ctx, logging.Notice, "what has not been sent is kept in the cache, and is sent after the next start", waitingAttrs(w)...)
		}
	}
	return nil
}

func (s *service) flushWithin(ctx context.Context, trees []*vfs.FS) {
	ctx, cancel := context.WithTimeout(ctx, s.flush)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		var each sync.WaitGroup
		defer each.Wait()
		for _, tree := range trees {
			each.Go(func() { s.flushTree(ctx, tree) })
		}
	}()
	for {
		select {
		case <-done:
			return
		case sig := <-s.signals:
			if sig != syscall.SIGHUP {
				cancel()
			}
		}
	}
}

// flushTree sends what waits in one tree, until ctx ends.
func (s *service) flushTree(ctx context.Context, tree *vfs.FS) {
	err := writeback.Drain(ctx, tree, drainReport, func(w writeback.Waiting) {
		if w.Changes > 0 {
			s.log.Log(ctx, logging.Notice, "sending what waits for the remote", waitingAttrs(w)...)
		}
	})
	if err != nil && ctx.Err() == nil {
		s.log.ErrorContext(ctx, "not everything could be sent", "error", err)
	}
}

func waitingAttrs(w writeback.Waiting) []any {
	attrs := []any{"changes", w.Changes, "size", config.Size(w.Bytes).String()}
	if w.LastError != nil {
		attrs = append(attrs, "failing", w.Failing, "error", w.LastError)
	}
	return attrs
}

// eachTree calls do with every tree that is open.
func (s *service) eachTree(do func(tree *vfs.FS)) {
	do(s.stack.tree)
	if s.accounts != nil {
		s.accounts.trees.set.Each(func(_ string, tree *vfs.FS, _ int) { do(tree) })
	}
}

// forget has every tree forget what is remembered of directories.
func (s *service) forget() {
	s.eachTree(func(tree *vfs.FS) { tree.Forget() })
}
