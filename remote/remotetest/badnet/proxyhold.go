package badnet

// A hold stops a direction as soon as enough bytes have passed in another.
type hold struct {
	by     Direction
	left   int64         // bytes until it begins; guarded by Proxy.mu
	on     bool          // it has begun; guarded by Proxy.mu
	begun  chan struct{} // closed then
	passed chan struct{} // closed by Release
}

// Hold passes nothing on in direction d, on any connection, once n more bytes have come from the
// side of by: the last of them are passed on after the hold has begun, so that with d = Down and by
// = Up the answer to them is held. What is held waits for Release, or is lost with its connection.
// begun is closed when it has begun.
func (p *Proxy) Hold(d, by Direction, n int64) (begun <-chan struct{}) {
	p.Release(d)
	h := &hold{by: by, left: n, begun: make(chan struct{}), passed: make(chan struct{})}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.holds[d] = h
	h.count(0)
	return h.begun
}

// Release passes on what was held in direction d, and what comes from now on.
func (p *Proxy) Release(d Direction) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.holds[d] != nil {
		close(p.holds[d].passed)
		p.holds[d] = nil
	}
}

// count lets n bytes pass towards the beginning.
// LOCKS_REQUIRED(Proxy.mu)
func (h *hold) count(n int64) {
	h.left -= n
	if h.left > 0 || h.on {
		return
	}
	h.on = true
	close(h.begun)
}

// came counts bytes on their way in direction d towards the holds.
func (p *Proxy) came(d Direction, n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, h := range p.holds {
		if h != nil && h.by == d {
			h.count(n)
		}
	}
}

// held returns when c may pass something on in direction d, and false when it is broken before.
func (p *Proxy) held(c *proxied, d Direction) bool {
	for {
		p.mu.Lock()
		h := p.holds[d]
		begun := h != nil && h.on
		p.mu.Unlock()
		if !begun {
			return true
		}
		select {
		case <-h.passed:
		case <-c.gone:
			return false
		}
	}
}
