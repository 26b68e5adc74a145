package ftp

import (
	"context"
	"errors"
	"sync"
	"time"
)

var errClosed = errors.New("the remote was closed")

// fresh is how long an unused connection is trusted without asking.
const fresh = 2 * time.Second

// A pool holds the sessions that nobody uses. One session serves one call at a time.
type pool struct {
	// constant
	idle time.Duration
	dial func(ctx context.Context) (*session, error)
	room chan struct{} // holds a token for each session that is in use; nil = there may be any number

	mu     sync.Mutex
	free   []*session // those that were used last are at the end; guarded by mu
	used   map[*session]bool
	closed bool        // guarded by mu
	timer  *time.Timer // closes what is idle; nil while nothing is; guarded by mu
}

func (p *pool) init(max int, idle time.Duration, dial func(ctx context.Context) (*session, error)) {
	p.idle, p.dial = idle, dial
	p.used = map[*session]bool{}
	if max > 0 {
		p.room = make(chan struct{}, max)
	}
}

// get returns a session that is to be put back.
func (p *pool) get(ctx context.Context) (*session, error) {
	if p.room != nil {
		select {
		case p.room <- struct{}{}:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	s, err := p.take(ctx)
	if err != nil {
		p.leave()
	}
	return s, err
}

func (p *pool) leave() {
	if p.room != nil {
		<-p.room
	}
}

func (p *pool) take(ctx context.Context) (*session, error) {
	for {
		s, err := p.pop()
		if err != nil {
			return nil, err
		}
		if s == nil {
			break
		}
		if time.Since(s.since) < fresh || s.during(ctx, s.c.NoOp) == nil {
			return s, nil
		}
		p.drop(s)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	s, err := p.dial(ctx)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		s.abort()
		return nil, errClosed
	}
	p.used[s] = true
	return s, nil
}

// pop returns the session that was used last, nil when there is none.
func (p *pool) pop() (*session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errClosed
	}
	if len(p.free) == 0 {
		return nil, nil
	}
	s := p.free[len(p.free)-1]
	p.free = p.free[:len(p.free)-1]
	p.used[s] = true
	return s, nil
}

// drop closes a session for good.
func (p *pool) drop(s *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.used, s)
	s.abort()
}

// put gives a session back, unless it can no longer be used.
func (p *pool) put(s *session) {
	defer p.leave()
	if s.broken() {
		p.drop(s)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.used, s)
	if p.closed {
		s.abort()
		return
	}
	s.since = time.Now()
	p.free = append(p.free, s)
	if p.timer == nil && p.idle > 0 {
		p.timer = time.AfterFunc(p.idle, p.closeIdle)
	}
}

// closeIdle closes the sessions that nobody has used for a while, and looks again when the next one
// may be due.
func (p *pool) closeIdle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = nil
	for len(p.free) > 0 && time.Since(p.free[0].since) >= p.idle {
		p.free[0].quit()
		p.free = p.free[1:]
	}
	if len(p.free) > 0 && !p.closed {
		p.timer = time.AfterFunc(p.idle-time.Since(p.free[0].since), p.closeIdle)
	}
}

// close closes every session.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.timer != nil {
		p.timer.Stop()
	}
	for _, s := range p.free {
		s.quit()
	}
	p.free = nil
	for s := range p.used {
		s.abort()
	}
}
