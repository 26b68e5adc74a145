package defence

import (
	"cmp"
	"net/netip"
	"time"
)

// A verdict is what was decided about a network last: that it is banned until some time, or that a
// ban does not hold any more. A time that is not known is before all others.
type verdict struct {
	Network netip.Prefix `json:"network"`
	Made    time.Time    `json:"made,omitzero"`
	Until   time.Time    `json:"until,omitzero"` // zero = lifted
	Times   int          `json:"times,omitempty"`
	Reason  string       `json:"reason,omitempty"`
	Node    string       `json:"node,omitempty"`
	ByHand  bool         `json:"byHand,omitempty"`
	Second  bool         `json:"second,omitempty"` // points of another node made it, which has made it too
	Keep    time.Time    `json:"keep,omitzero"`    // the end of the ban that was lifted
}

// agree is the time within which bans are the same one, found by several nodes. The first one
// counts.
const agree = 10 * time.Second

// over reports whether v counts, and not other.
func (v verdict) over(other verdict) bool {
	both := !v.ByHand && !other.ByHand && !v.Until.IsZero() && !other.Until.IsZero()
	if gap := v.Made.Sub(other.Made); both && gap.Abs() < agree {
		if v.Second != other.Second {
			return other.Second
		}
		return gap < 0 || gap == 0 && v.Node < other.Node
	}
	if !v.Made.Equal(other.Made) {
		return v.Made.After(other.Made)
	}
	if !v.Until.Equal(other.Until) {
		return v.Until.After(other.Until)
	}
	return v.Node > other.Node
}

// verdictOf returns what this node knows of network.
func (s *scores) verdictOf(network netip.Prefix) (verdict, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.verdictLocked(network)
}

// verdictLocked is verdictOf. LOCKS_REQUIRED(s.mu)
func (s *scores) verdictLocked(network netip.Prefix) (verdict, bool) {
	if e := s.find(network); e != nil && e.times > 0 {
		return s.asVerdict(e), true
	}
	v, lifted := s.lifted[network]
	return v, lifted
}

// find returns the entry of a network, nil if there is none. LOCKS_REQUIRED(s.mu)
func (s *scores) find(network netip.Prefix) *entry {
	if e := s.wide[network]; e != nil {
		return e
	}
	return s.entries[network]
}

// asVerdict returns the ban of e.
func (s *scores) asVerdict(e *entry) verdict {
	return verdict{
		Network: e.host, Made: e.made, Until: e.until, Times: e.times, Reason: e.reason, Node: cmp.Or(e.node, s.node),
		ByHand: e.byHand, Second: e.second,
	}
}

// verdicts returns those that matter now.
func (s *scores) verdicts(now time.Time) []verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []verdict
	for _, e := range s.wide {
		if now.Before(e.until) {
			all = append(all, s.asVerdict(e))
		}
	}
	for el := s.banned.Front(); el != nil; el = el.Next() {
		if e := el.Value.(*entry); now.Before(e.until) {
			all = append(all, s.asVerdict(e))
		}
	}
	for network, v := range s.lifted {
		if now.After(v.Keep) {
			delete(s.lifted, network)
			continue
		}
		all = append(all, v)
	}
	return all
}

// adopt makes what another node has decided hold here. It reports whether it does now and did not
// before.
func (s *scores) adopt(v verdict, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if mine, known := s.verdictLocked(v.Network); known && !v.over(mine) {
		return false
	}
	s.changes++
	e := s.find(v.Network)
	if v.Until.IsZero() {
		s.setLifted(v)
		switch {
		case e == nil:
		case s.wide[v.Network] == e:
			delete(s.wide, v.Network)
		default:
			s.remove(e)
		}
		return true
	}
	if now.Sub(v.Until) > memory {
		return false
	}
	if e == nil {
		if e = s.room(v.Network, now); e == nil {
			return false
		}
	}
	e.until, e.reason, e.marks = v.Until, v.Reason, nil
	e.times, e.made, e.node, e.byHand, e.second = max(v.Times, 1), v.Made, v.Node, v.ByHand, v.Second
	if e.place != nil {
		s.move(e, s.banned)
	}
	delete(s.lifted, v.Network)
	return true
}

// room makes an entry for a network, nil if there are too many. LOCKS_REQUIRED(s.mu)
func (s *scores) room(network netip.Prefix, now time.Time) *entry {
	if Host(network.Addr()) == network {
		return s.insert(network)
	}
	s.forgetOld(now)
	if len(s.wide) >= maxWide {
		return nil
	}
	e := &entry{host: network}
	s.wide[network] = e
	return e
}

// setLifted notes v. LOCKS_REQUIRED(s.mu)
func (s *scores) setLifted(v verdict) {
	if s.lifted == nil || len(s.lifted) >= maxTold {
		return
	}
	s.lifted[v.Network] = v
}

// forgivePoints takes back the points of all, but no ban.
func (s *scores) forgivePoints() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.entries {
		if e.marks = nil; e.times == 0 {
			s.remove(e)
		}
	}
	s.changes++
}
