package conns

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

var errClosed = errors.New("the remote was closed")

// A Pool holds the connections to the server. Calls share them: a new one is made only while all
// are in use and there are fewer than max. They are made when they are needed.
type Pool[C Conn] struct {
	// constant
	max     int
	idle    time.Duration
	dial    func(ctx context.Context) (C, error)
	dialing chan struct{} // holds a token while somebody dials

	watchers sync.WaitGroup // one for each connection that is open

	mu     sync.Mutex
	conns  []C         // guarded by mu
	closed bool        // guarded by mu
	timer  *time.Timer // closes what is idle; nil while nothing is; guarded by mu
}

// NewPool returns a pool of at most max connections that dial makes. One that nobody has used for
// idle is closed; 0 = never.
func NewPool[C Conn](max int, idle time.Duration, dial func(ctx context.Context) (C, error)) *Pool[C] {
	return &Pool[C]{max: max, idle: idle, dial: dial, dialing: make(chan struct{}, 1)}
}

// Get returns a connection that is to be put back.
func (p *Pool[C]) Get(ctx context.Context) (C, error) {
	var none C
	if c, ok, err := p.take(false); ok || err != nil {
		return c, err
	}
	select {
	case p.dialing <- struct{}{}:
	case <-ctx.Done():
		return none, context.Cause(ctx)
	}
	defer func() { <-p.dialing }()
	if c, ok, err := p.take(false); ok || err != nil {
		return c, err // made by somebody else meanwhile
	}
	c, err := p.dial(ctx)
	if err != nil {
		if shared, ok, _ := p.take(true); ok {
			return shared, nil // the server may allow no more than there are
		}
		return none, err
	}
	return c, p.add(c)
}

// take returns the connection with the fewest users. One that is in use is returned only when there
// may be no more, or with share.
func (p *Pool[C]) take(share bool) (best C, ok bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return best, false, errClosed
	}
	for _, c := range p.conns {
		if !c.Pooled().Lost() && (!ok || c.Pooled().users < best.Pooled().users) {
			best, ok = c, true
		}
	}
	if !ok || best.Pooled().users > 0 && len(p.conns) < p.max && !share {
		return best, false, nil
	}
	best.Pooled().users++
	return best, true, nil
}

// add takes in a new connection, which has one user, and watches it.
func (p *Pool[C]) add(c C) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		c.Close()
		return errClosed
	}
	c.Pooled().users = 1
	p.conns = append(p.conns, c)
	p.watchers.Go(func() {
		c.Wait()
		c.Close()
		p.mu.Lock()
		p.conns = slices.DeleteFunc(p.conns, func(other C) bool { return other.Pooled() == c.Pooled() })
		p.mu.Unlock()
	})
	return nil
}

// Put gives a connection back.
func (p *Pool[C]) Put(c C) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.Pooled().users--
	if c.Pooled().users > 0 {
		return
	}
	c.Pooled().since = time.Now()
	if p.timer == nil && p.idle > 0 && !p.closed {
		p.timer = time.AfterFunc(p.idle, p.closeIdle)
	}
}

// Use calls use with a connection, which others may share.
func (p *Pool[C]) Use(ctx context.Context, use func(c C) error) error {
	c, err := p.Get(ctx)
	if err != nil {
		return err
	}
	defer p.Put(c)
	return use(c)
}

// closeIdle closes the connections that nobody has used for a while, and looks again when the next
// one may be due.
func (p *Pool[C]) closeIdle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = nil
	next := time.Duration(0)
	for _, c := range p.conns {
		if c.Pooled().users > 0 || c.Pooled().Lost() {
			continue
		}
		if left := p.idle - time.Since(c.Pooled().since); left > 0 {
			next = max(next, left)
		} else {
			c.Close()
		}
	}
	if next > 0 && !p.closed {
		p.timer = time.AfterFunc(next, p.closeIdle)
	}
}

// Close closes every connection, and waits until they are.
func (p *Pool[C]) Close() {
	p.mu.Lock()
	p.closed = true
	if p.timer != nil {
		p.timer.Stop()
	}
	for _, c := range p.conns {
		c.Close()
	}
	p.mu.Unlock()
	p.watchers.Wait()
}

// Open returns how many connections there are.
func (p *Pool[C]) Open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.conns)
}
