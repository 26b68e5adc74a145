package defence

import (
	"net/netip"
	"sync"
	"time"

	"ferry/cluster"
)

// sharing is what a Guard tells other nodes, and what it needs for that. Its methods may be called
// on nil, where nobody is told.
type sharing struct {
	engine cluster.Engine
	node   string
	run    string             // tells this run of the node from those before
	ended  func(netip.Prefix) // a network was banned by another node

	heard map[string]heard      // of the one goroutine that listens for points; by node
	seen  map[netip.Prefix]seen // of the one goroutine that watches bans

	due chan struct{} // something is to be told

	mu       sync.Mutex
	points   []told                   // guarded by mu; oldest first
	verdicts map[netip.Prefix]waiting // guarded by mu
}

// seen is a ban that the engine had.
type seen struct{ made, at time.Time }

// waiting is a ban that was made or lifted, and has not been told.
type waiting struct {
	due   time.Time // not before, as others will most likely tell the same
	event bool      // it is recorded if it was told first by this node
}

// maxTold bounds what waits for an engine that is away. Of more points the oldest are forgotten,
// and more bans are told when it is back.
const maxTold = 10_000

// marked notes a mark that a client here has got.
func (s *sharing) marked(host netip.Prefix, m mark, reason string) {
	s.add(told{Host: host, Points: m.points, Guess: m.guess, Reason: reason, at: m.at})
}

// forgiven notes that the points of host were taken back.
func (s *sharing) forgiven(host netip.Prefix) { s.add(told{Host: host, at: time.Now()}) }

// forgotten notes that all points were.
func (s *sharing) forgotten() { s.add(told{at: time.Now()}) }

func (s *sharing) add(t told) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.points) >= maxTold {
		s.points = s.points[maxTold/10:]
	}
	s.points = append(s.points, t)
	s.wake()
}

// decided notes that network was banned, or is not any more. With a delay it is the decision of
// another node's points.
func (s *sharing) decided(network netip.Prefix, delay time.Duration) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.verdicts) >= maxTold {
		return
	}
	s.verdicts[network] = waiting{time.Now().Add(delay), delay > 0}
	s.wake()
}

// known notes that what was decided about network need not be told.
func (s *sharing) known(network netip.Prefix) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.verdicts, network)
}

// wake has the teller look at what there is.
func (s *sharing) wake() {
	select {
	case s.due <- struct{}{}:
	default:
	}
}
