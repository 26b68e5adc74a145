package ftp

import (
	"net/netip"
	"sync"
)

// ports counts the open passive ports. The zero value is ready.
type ports struct {
	mu   sync.Mutex
	open map[portHolder]int // guarded by mu
}

// portHolder is a user at one address. Many people may share a name, such as anonymous.
type portHolder struct {
	user string
	host netip.Addr
}

// reserve counts a port of h, unless h has reached its limit.
func (p *ports) reserve(h portHolder, limit int) bool {
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

// release undoes a reserve.
func (p *ports) release(h portHolder) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open[h]--; p.open[h] <= 0 {
		delete(p.open, h)
	}
}
