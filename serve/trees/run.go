package trees

import (
	"context"
	"sync"
	"time"
)

// Run does the background work of all trees, and closes those that are idle, until ctx ends. Then
// no tree is opened any more; when the work has ended it returns nil. What is open stays open for
// Close.
func (s *Set) Run(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.closed = true
	}()
	ends := map[*entry]func(){} // ends the work of a tree, and waits for that
	look := time.NewTicker(max(s.opt.Idle/8, time.Second))
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-look.C:
		}
		for _, e := range s.takeOpened() {
			ends[e] = s.start(ctx, e, &running)
		}
		for _, e := range s.takeIdle(time.Now()) {
			end := ends[e]
			delete(ends, e)
			running.Go(func() {
				end()
				s.close(e)
			})
		}
	}
}

// start does the work of e until ctx ends or the result is called.
func (s *Set) start(ctx context.Context, e *entry, running *sync.WaitGroup) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	running.Go(func() {
		defer close(ended)
		if e.tree.Run == nil {
			return
		}
		if err := e.tree.Run(ctx); err != nil && ctx.Err() == nil {
			s.opt.Log.ErrorContext(ctx, "a tree has failed: its sessions end, and the next login opens it anew", "tree", e.key, "error", err)
			s.failed(e, err)
		}
	})
	return func() {
		cancel()
		<-ended
	}
}

// failed has nobody begin to use e any more.
func (s *Set) failed(e *entry, err error) {
	s.mu.Lock()
	e.failed = err
	s.mu.Unlock()
	s.look()
	if s.opt.Failed != nil {
		s.opt.Failed(e.tree.FS)
	}
}

func (s *Set) takeOpened() []*entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	opened := s.opened
	s.opened = nil
	for _, e := range opened {
		e.started = true
	}
	return opened
}

// takeIdle returns the trees that nobody may begin to use from now on, as they have been idle for
// long enough and nothing waits in them, or have failed.
func (s *Set) takeIdle(now time.Time) []*entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	var idle []*entry
	for _, e := range s.trees {
		if e.users == 0 && e.started && !e.closing && e.isDone(now.Add(-s.opt.Idle)) {
			e.closing = true
			idle = append(idle, e)
		}
	}
	return idle
}

// isDone reports whether e, which has no users, is of no more use: it has failed, or nothing waits
// in it and it has been idle since a time.
//
// LOCKS_REQUIRED(Set.mu)
func (e *entry) isDone(since time.Time) bool {
	return e.failed != nil || !e.idle.After(since) && e.tree.FS.Waiting().Changes == 0
}

// Close closes every tree, and gives up those that are being opened. It is called after Run has
// returned, when nobody uses any.
func (s *Set) Close() {
	s.mu.Lock()
	s.closed = true
	var all []*entry
	for _, e := range s.trees {
		all = append(all, e)
	}
	s.mu.Unlock()
	for _, e := range all {
		e.giveUp()
		<-e.ready
		s.mu.Lock()
		closing := e.closing // by whoever has set it
		e.closing = true
		s.mu.Unlock()
		if !closing {
			s.close(e)
		}
		<-e.gone
	}
}
