package sftp

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

var errClosed = errors.New("the remote was closed")

// A pool holds the connections to the server. Calls share them: a new one is made only while all
// are in use and there are fewer than max.
type pool struct {
	// constant
	max     int
	idle    time.Duration
	dial    func(ctx context.Context) (*conn, error)
	dialing chan struct{} // holds a token while somebody dials

	watchers sync.WaitGroup // one for each connection that is open

	mu     sync.Mutex
	conns  []*conn     // guarded by mu
	closed bool        // guarded by mu
	timer  *time.Timer // closes what is idle; nil while nothing is; guarded by mu
}

func (p *pool) init(max int, idle time.Duration, dial func(ctx context.Context) (*conn, error)) {
	p.max, p.idle, p.dial = max, idle, dial
	p.dialing = make(chan struct{}, 1)
}

// get returns a connection that is to be put back.
func (p *pool) get(ctx context.Context) (*conn, error) {
	if c, err := p.take(false); c != nil || err != nil {
		return c, err
	}
	select {
	case p.dialing <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-p.dialing }()
	if c, err := p.take(false); c != nil || err != nil {
		return c, err // made by somebody else meanwhile
	}
	c, err := p.dial(ctx)
	if err != nil {
		if shared, _ := p.take(true); shared != nil {
			return shared, nil // the server may allow no more than there are
		}
		return nil, err
	}
	return c, p.add(c)
}

// take returns the connection with the fewest users. One that is in use is returned only when there
// may be no more, or with share.
func (p *pool) take(share bool) (*conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errClosed
	}
	var best *conn
	for _, c := range p.conns {
		if !c.lost.Load() && (best == nil || c.users < best.users) {
			best = c
		}
	}
	if best == nil || best.users > 0 && len(p.conns) < p.max && !share {
		return nil, nil
	}
	best.users++
	return best, nil
}

// add takes in a new connection, which has one user, and watches it.
func (p *pool) add(c *conn) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		c.close()
		return errClosed
	}
	c.users = 1
	p.conns = append(p.conns, c)
	p.watchers.Go(func() {
		_ = c.sftp.Wait() // however it ended
		c.close()
		p.mu.Lock()
		p.conns = slices.DeleteFunc(p.conns, func(other *conn) bool { return other == c })
		p.mu.Unlock()
	})
	return nil
}

// put gives a connection back.
func (p *pool) put(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.users--
	if c.users > 0 {
		return
	}
	c.since = time.Now()
	if p.timer == nil && p.idle > 0 && !p.closed {
		p.timer = time.AfterFunc(p.idle, p.closeIdle)
	}
}

// closeIdle closes the connections that nobody has used for a while, and looks again when the next
// one may be due.
func (p *pool) closeIdle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = nil
	next := time.Duration(0)
	for _, c := range p.conns {
		if c.users > 0 || c.lost.Load() {
			continue
		}
		if left := p.idle - time.Since(c.since); left > 0 {
			next = max(next, left)
		} else {
			c.close()
		}
	}
	if next > 0 && !p.closed {
		p.timer = time.AfterFunc(next, p.closeIdle)
	}
}

// close closes every connection, and waits until they are.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	if p.timer != nil {
		p.timer.Stop()
	}
	for _, c := range p.conns {
		c.close()
	}
	p.mu.Unlock()
	p.watchers.Wait()
}
