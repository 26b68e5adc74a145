package announce

import (
	"context"
	"time"
)

// A peer is another process that tells what it changes.
type peer struct {
	node   string
	seen   time.Time // when it was heard last
	silent bool      // that is too long ago: what it has changed since may not have been told
}

// heardOf notes a message of another process.
// LOCKS_REQUIRED(x.mu)
func (x *Exchange) heardOf(m message) {
	if m.Ended {
		delete(x.peers, m.From)
		return
	}
	p := x.peers[m.From]
	if p == nil {
		p = &peer{node: m.Node}
		x.peers[m.From] = p
		for id, other := range x.peers { // the node was started again
			if other.silent && other.node == m.Node {
				delete(x.peers, id)
				x.everything()
			}
		}
	}
	p.seen, p.silent = time.Now(), false
}

// hearAgain gives others time to be heard after nobody was.
// LOCKS_REQUIRED(x.mu)
func (x *Exchange) hearAgain() {
	for _, p := range x.peers {
		p.seen = time.Now()
	}
}

// missed looks who is not heard. lost: somebody is not any more who was until now; missing:
// somebody is not.
// LOCKS_REQUIRED(x.mu)
func (x *Exchange) missed(ctx context.Context) (lost, missing bool) {
	for id, p := range x.peers {
		switch away := time.Since(p.seen); {
		case away > mourning:
			delete(x.peers, id)
		case p.silent:
			missing = true
		case away > silence+lifeSign: // later than it shows that nobody is heard
			p.silent, lost, missing = true, true, true
			x.o.Log.InfoContext(ctx, "a node is not heard of any more: directories are asked for again, as it may have changed something that it could not tell", "node", p.node)
		}
	}
	return lost, missing
}
