package ftp

import (
	"net/netip"
	"sync"
)

// ports counts the passive ports that are open. The zero value is ready.
type ports struct {
	mu   sync.Mutex
	open map[portHolder]int // guarded by mu
}

// portHolder is a user at one address. A name alone may be that of many people, such as anonymous.
type portHolder struct {
	user string
	host netip.Addr
}

// take counts a port of h, unless it has as many as it may.
func (p *ports) take(h portHolder, limit int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open[h] >= limit {
		return false
	}
	if p.open == nil {
		p.open = map[portHolder]int{}
	}
	p.open[h]++
	return true
}

// give ends what take has begun.
func (p *ports) give(h portHolder) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open[h]--; p.open[h] <= 0 {
		delete(p.open, h)
	}
}
