package presence

import (
	"encoding/json"
	"time"

	"ferry/cluster"
)

// maxPeers bounds the memory for names that are made up.
const maxPeers = 10_000

// A peer is another node.
type peer struct {
	run      string
	ended    bool
	heard    time.Time // when the last beat came
	revision uint64    // of that one
	parts    [parts]held
}

// held is what a peer has said of one part.
type held struct {
	run    string
	counts map[string]int
}

// alive reports whether what the peer has counts.
func (p *peer) alive(now time.Time) bool {
	return p.run != "" && !p.ended && now.Sub(p.heard) < Lost
}

// heard takes in what some node has said.
func (c *Counts) heard(v cluster.Value) {
	if v.Key == "" { // these were all: what of this node is not among them is published again
		c.renew()
		return
	}
	part, node, ok := parseKey(v.Key)
	if !ok {
		return
	}
	var said value
	if v.Data != nil && json.Unmarshal(v.Data, &said) != nil {
		return
	}
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if node == c.o.Node {
		if v.Data == nil {
			c.mark(part)
		}
		return
	}
	if v.Data == nil {
		return // it expires later than its node is lost
	}
	p := c.peers[node]
	if p == nil {
		c.forget(now)
		if len(c.peers) >= maxPeers {
			return
		}
		p = &peer{heard: now}
		c.peers[node] = p
	}
	if part == beatPart {
		p.beat(said, v.Revision, now)
		return
	}
	p.parts[part] = held{said.Run, said.Counts}
}

// beat takes in that the peer is there. One that was known already says nothing new, and the age of
// the first one is told by its clock, which may be wrong by as much as it likes.
func (p *peer) beat(said value, revision uint64, now time.Time) {
	if revision == p.revision {
		return
	}
	first := p.revision == 0
	p.revision, p.run, p.ended, p.heard = revision, said.Run, said.Ended, now
	if at := time.UnixMilli(said.At); first && at.Before(now) {
		p.heard = at
		if now.Sub(at) > Lost {
			p.heard = now.Add(-Lost)
		}
	}
}

// renew has all that there is here published again.
func (c *Counts) renew() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for part := range c.here {
		if c.here[part] != nil {
			c.mark(part)
		}
	}
	c.mark(beatPart)
}

// mark has a part, or the beat, published. LOCKS_REQUIRED(c.mu)
func (c *Counts) mark(part int) {
	if part == beatPart {
		c.beat = true
	} else {
		c.dirty[part] = true
	}
	c.wake()
}

// wake has the publisher look at what is dirty.
func (c *Counts) wake() {
	select {
	case c.due <- struct{}{}:
	default:
	}
}

// forget drops the peers that are lost for long. LOCKS_REQUIRED(c.mu)
func (c *Counts) forget(now time.Time) {
	for name, p := range c.peers {
		if now.Sub(p.heard) > partLife {
			delete(c.peers, name)
		}
	}
}
