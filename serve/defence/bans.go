package defence

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"ferry/events"
)

// A Ban is an address, or a network, that is not admitted.
type Ban struct {
	Network netip.Prefix
	Until   time.Time
	Times   int // bans in a row, this one among them
	Reason  string
	Node    string // that made it; "" = there is only one
}

// Bans returns the bans that hold now, those that end first first.
func (g *Guard) Bans() []Ban {
	s := &g.scores
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Ban
	for _, e := range s.wide {
		if now.Before(e.until) {
			all = append(all, e.asBan())
		}
	}
	for el := s.banned.Front(); el != nil; el = el.Next() {
		if e := el.Value.(*entry); now.Before(e.until) {
			all = append(all, e.asBan())
		}
	}
	for i := range all {
		all[i].Node = cmp.Or(all[i].Node, s.node)
	}
	slices.SortFunc(all, func(a, b Ban) int {
		if c := a.Until.Compare(b.Until); c != 0 {
			return c
		}
		return a.Network.Compare(b.Network)
	})
	return all
}

// maxWide is how many networks that are more than one client can be banned at a time: each of them
// is compared with each client.
const maxWide = 1000

// Ban bans a network for a time, 0 for as long as its next ban would be. Sessions that have begun
// are not touched.
func (g *Guard) Ban(network netip.Prefix, d time.Duration, reason string) (Ban, error) {
	b, err := g.scores.banByHand(network, d, reason)
	if err == nil {
		g.shared.decided(b.Network, 0)
		g.recordBan(b)
	}
	return b, err
}

func (s *scores) banByHand(network netip.Prefix, d time.Duration, reason string) (Ban, error) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	network = network.Masked()
	var e *entry
	if host := Host(network.Addr()); network.Bits() >= host.Bits() {
		if e = s.entries[host]; e == nil {
			e = s.insert(host)
		}
	} else {
		if e = s.wide[network]; e == nil {
			s.forgetOld(now)
			if len(s.wide) >= maxWide {
				return Ban{}, fmt.Errorf("%d networks are banned already: use --deny for those that stay so", len(s.wide))
			}
			e = &entry{host: network}
			s.wide[network] = e
		}
	}
	if now.Sub(e.until) > memory {
		e.times = 0
	}
	if d <= 0 {
		d = banTime(e.times)
	}
	e.until, e.reason, e.marks = now.Add(d), reason, nil
	e.made, e.node, e.byHand, e.second = now, "", true, false
	delete(s.lifted, network)
	e.times++
	if e.place != nil {
		s.move(e, s.banned)
	}
	s.changes++
	return e.asBan(), nil
}

// Unban lifts a ban, and forgets what led to it. It reports whether there was one.
func (g *Guard) Unban(network netip.Prefix) bool {
	if !g.scores.unban(network) {
		return false
	}
	g.shared.decided(network.Masked(), 0)
	g.recordUnban(network)
	return true
}

func (s *scores) unban(network netip.Prefix) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	network = network.Masked()
	now := time.Now()
	if e := s.wide[network]; e != nil {
		delete(s.wide, network)
		s.changes++
		return s.lift(e, now)
	}
	host := Host(network.Addr())
	e := s.entries[host]
	if e == nil || network.Bits() < host.Bits() {
		return false
	}
	s.remove(e)
	s.changes++
	return s.lift(e, now)
}

// lift notes that e, which is removed, does not hold any more. It reports whether it did.
//
// LOCKS_REQUIRED(s.mu)
func (s *scores) lift(e *entry, now time.Time) bool {
	if !now.Before(e.until) {
		return false
	}
	s.setLifted(verdict{Network: e.host, Made: now, Keep: e.until, Node: s.node})
	return true
}

// UnbanAll lifts all bans, and returns how many there were.
func (g *Guard) UnbanAll() int {
	all := g.Bans()
	g.scores.forgetAll(time.Now())
	g.shared.forgotten()
	for _, b := range all {
		g.shared.decided(b.Network, 0)
		g.recordUnban(b.Network)
	}
	return len(all)
}

func (s *scores) forgetAll(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.entries {
		s.lift(e, now)
	}
	for _, e := range s.wide {
		s.lift(e, now)
	}
	s.reset()
	s.changes++
}

// bannedElsewhere has a ban hold that another node has made, or its points.
func (g *Guard) bannedElsewhere(b Ban, node string) {
	if g.isTrusted(b.Network.Addr()) {
		return
	}
	g.o.Log.Info("address banned by another node", "address", b.Network.String(), "until", b.Until.Format(time.RFC3339),
		"times", b.Times, "reason", b.Reason, "node", node)
	if g.shared.ended != nil {
		g.shared.ended(b.Network)
	}
}

// recordBan records that b holds from now on.
func (g *Guard) recordBan(b Ban) {
	g.record(&events.Event{Kind: events.Ban, Cause: b.Reason, Duration: time.Until(b.Until).Round(time.Second)}, b.Network)
}

// recordUnban records that a ban was lifted before its end.
func (g *Guard) recordUnban(network netip.Prefix) {
	g.record(&events.Event{Kind: events.Unban}, network)
}

// record brings e about a network to those who listen. One that cannot take note has logged it.
func (g *Guard) record(e *events.Event, network netip.Prefix) {
	network = network.Masked()
	e.Address, e.Argument = netip.AddrPortFrom(network.Addr(), 0), network.String()
	_ = g.o.Events.Record(context.Background(), e)
}
