package writeback

import (
	"slices"
	"sync"
	"time"
)

// Auto as the number of transfers of a Gate lets it find the number out.
const Auto = 0

// A Gate bounds how many changes are applied to remotes at a time, by all Trees that share it. Of
// the Trees that wait for a transfer each gets one in turn, however many changes it has. One
// transfer in four is kept for small and urgent changes, none if there is only one.
//
// With Auto each server has a number of its own, which is found out, so that one that does not
// answer takes no transfers from others.
type Gate struct {
	transfers int // constant; of all servers together
	auto      bool

	mu      sync.Mutex
	servers map[string]*server // guarded by mu; those in use
	running load               // guarded by mu
	waiting []*turn            // guarded by mu; the first that can have a transfer gets it
}

// load is how many transfers are in use.
type load struct{ all, large int }

func (l *load) add(large bool, n int) {
	l.all += n
	if large {
		l.large += n
	}
}

// room reports whether one of transfers is free for a change; kept is set for those that may use
// the transfers that are kept.
func (l load) room(transfers int, kept bool) bool {
	free := l.all < transfers
	if kept || transfers == 1 {
		return free
	}
	return free && l.large < transfers-max(1, transfers/4)
}

// A server is what the Trees of one server have in common.
type server struct {
	key        string
	users      int
	running    load
	congestion *congestion
}

// NewGate returns a Gate of so many transfers, or Auto.
func NewGate(transfers int) *Gate {
	g := &Gate{transfers: transfers, auto: transfers <= Auto, servers: map[string]*server{}}
	if g.auto {
		g.transfers = maxTransfers
	}
	return g
}

// Transfers returns how many changes may be applied at a time to the server that key names, or
// could be if it is not in use.
func (g *Gate) Transfers(key string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch s := g.servers[key]; {
	case !g.auto:
		return g.transfers
	case s == nil:
		return firstTransfers
	default:
		return s.congestion.limit
	}
}

// A turn is one Tree at a Gate.
type turn struct {
	gate   *Gate
	server *server
	wake   func() // lets the Tree call take again, or pass; it does not block

	waits    bool // guarded by gate.mu; it is in gate.waiting
	onlyKept bool // guarded by gate.mu; it waits for a transfer that small changes may have
}

// join makes a Tree a user of the gate. It calls leave when it needs it no more.
func (g *Gate) join(key string, wake func()) *turn {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.servers[key]
	if s == nil {
		s = &server{key: key, congestion: &congestion{limit: g.transfers, fixed: true}}
		if g.auto {
			s.congestion = newCongestion()
		}
		g.servers[key] = s
	}
	s.users++
	return &turn{gate: g, server: s, wake: wake}
}

// leave ends the use of the gate. No transfer of the Tree is in use any more.
func (t *turn) leave() {
	t.pass()
	g := t.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	if t.server.users--; t.server.users == 0 {
		delete(g.servers, t.server.key)
	}
}

// A slot is a transfer in use. The methods of nil do nothing.
type slot struct {
	turn  *turn
	large bool
	stamp stamp
}

// take returns a transfer for a change, or nil if none is free, or another Tree comes first: then
// the Tree waits, and is woken when it is its turn. Large changes that are not urgent leave some
// transfers to others.
func (t *turn) take(large, urgent bool) *slot {
	g := t.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	kept := !large || urgent
	if !t.room(kept) || g.comesBefore(t) {
		if !t.waits {
			t.waits, t.onlyKept = true, false
			g.waiting = append(g.waiting, t)
		}
		t.onlyKept = t.onlyKept || kept
		g.wakeNext()
		return nil
	}
	t.stopWaiting()
	g.running.add(large, 1)
	t.server.running.add(large, 1)
	g.wakeNext()
	return &slot{turn: t, large: large, stamp: t.server.congestion.begin(time.Now())}
}

// room reports whether a transfer is free for a change of the Tree.
// LOCKS_REQUIRED(t.gate.mu)
func (t *turn) room(kept bool) bool {
	return t.server.running.room(t.server.congestion.limit, kept) && t.gate.running.room(t.gate.transfers, kept)
}

// next returns the first Tree that waits and can have a transfer, or nil.
// LOCKS_REQUIRED(g.mu)
func (g *Gate) next() *turn {
	for _, t := range g.waiting {
		if t.room(t.onlyKept) {
			return t
		}
	}
	return nil
}

// comesBefore reports whether another Tree comes before t.
// LOCKS_REQUIRED(g.mu)
func (g *Gate) comesBefore(t *turn) bool {
	next := g.next()
	return next != nil && next != t
}

// LOCKS_REQUIRED(g.mu)
func (g *Gate) wakeNext() {
	if next := g.next(); next != nil {
		next.wake()
	}
}

// pass gives up the place among those who wait: the Tree has nothing to apply.
func (t *turn) pass() {
	t.gate.mu.Lock()
	defer t.gate.mu.Unlock()
	t.stopWaiting()
	t.gate.wakeNext()
}

// LOCKS_REQUIRED(t.gate.mu)
func (t *turn) stopWaiting() {
	if t.waits {
		t.waits = false
		t.gate.waiting = slices.DeleteFunc(t.gate.waiting, func(other *turn) bool { return other == t })
	}
}

// A showing is what an attempt has shown of its server.
type showing uint8

const (
	showsNothing showing = iota
	succeeded            // its change is applied
	unanswered           // the server did not answer
)

// end gives the transfer back.
func (s *slot) end(shown showing, bytes int64) {
	if s == nil {
		return
	}
	g, server, now := s.turn.gate, s.turn.server, time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	switch shown {
	case succeeded:
		server.congestion.success(s.stamp, bytes, server.running.all, now)
	case unanswered:
		server.congestion.congested(s.stamp, now)
	}
	g.running.add(s.large, -1)
	server.running.add(s.large, -1)
	g.wakeNext()
}

// congested records that the server has refused a request of the transfer because there are too
// many.
func (s *slot) congested() {
	if s == nil {
		return
	}
	s.turn.gate.mu.Lock()
	defer s.turn.gate.mu.Unlock()
	s.turn.server.congestion.congested(s.stamp, time.Now())
}
