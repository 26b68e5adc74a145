package badnet

import "slices"

// A Cut is where a connection breaks: at the byte number After + At * Of, counted from the call of
// Proxy.Cut on. The bytes before are passed on, then both sides see a reset.
type Cut struct {
	Direction Direction // whose bytes are counted
	After     int64
	At        float64 // a fraction of Of: 0.9 for 90 %
	Of        int64

	Each  bool // count the bytes of each new connection, not those of all together
	All   bool // break all connections, not only that of the last byte
	Times int  // how often this happens, each time counted anew; 0 = once
}

// cut is a Cut that is waiting.
type cut struct {
	Cut
	left int64              // bytes until it happens; not with Each
	each map[*proxied]int64 // the same, with Each
}

// Cut lets a connection break. Several cuts are counted beside each other.
func (p *Proxy) Cut(c Cut) {
	c.After += int64(c.At * float64(c.Of))
	c.Times = max(c.Times, 1)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cuts = append(p.cuts, &cut{Cut: c, left: c.After, each: map[*proxied]int64{}})
}

// allow returns how many of n bytes may pass before c breaks, and whether it then does.
func (p *Proxy) allow(c *proxied, d Direction, n int64) (int64, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var broken *cut
	for _, cut := range p.cuts {
		left, counts := cut.leftOf(c)
		if cut.Direction == d && counts && left <= n {
			n, broken = left, cut
		}
	}
	for _, cut := range p.cuts {
		if left, counts := cut.leftOf(c); cut.Direction == d && counts {
			cut.setLeft(c, left-n)
		}
	}
	p.bytes[d] += n
	if broken == nil {
		return n, false
	}
	if broken.left, broken.Times = broken.After, broken.Times-1; broken.Times == 0 {
		p.cuts = slices.DeleteFunc(p.cuts, func(c *cut) bool { return c == broken })
	}
	if broken.All {
		for other := range p.open {
			if other != c {
				other.reset()
			}
		}
	}
	return n, true
}

func (k *cut) leftOf(c *proxied) (left int64, counts bool) {
	if !k.Each {
		return k.left, true
	}
	left, counts = k.each[c]
	return left, counts
}

func (k *cut) setLeft(c *proxied, left int64) {
	if k.Each {
		k.each[c] = left
		return
	}
	k.left = left
}
