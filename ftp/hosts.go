package ftp

import (
	"net/netip"
	"sync"
	"time"
)

// hosts is what is known of the clients by their address. The zero value is ready.
type hosts struct {
	mu       sync.Mutex
	present  map[netip.Addr]presence // guarded by mu; those that have sessions
	suspects map[netip.Addr]*suspect // guarded by mu; those that lately gave a wrong password
}

// presence is how many sessions a client has.
type presence struct {
	sessions int
	guests   int // of them, those that have not logged in
}

// A suspect has one login tried after the other, the later the more of them have failed.
type suspect struct {
	failures int
	last     time.Time // of the failures
	free     time.Time // when the next login may be tried
}

const (
	suspectTime   = 10 * time.Minute // after the last failure a suspect is forgotten
	maxSuspects   = 10_000           // when they are that many, those that can be are forgotten, or all
	maxLoginDelay = 20 * time.Second // who would have to wait longer is sent away
)

// Addr returns the address that stands for the client: one customer usually has all the addresses of an IPv6 /64. It is
// not valid for a connection without addresses.
func (c Client) Addr() netip.Addr { return hostAddr(c.Remote.Addr()) }

// hostAddr returns the address that stands for a client: one customer usually has all the addresses of an IPv6 /64. It is
// not valid for a connection without addresses.
func hostAddr(a netip.Addr) netip.Addr {
	if !a.Is6() {
		return a
	}
	return netip.PrefixFrom(a.WithZone(""), 64).Masked().Addr()
}

// enter counts a session of host, which has not logged in, unless that would be more than the limits allow: then it says
// so. 0 is no limit.
func (h *hosts) enter(host netip.Addr, sessions, guests int) (why string) {
	if !host.IsValid() {
		return ""
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.present[host]
	switch {
	case sessions > 0 && p.sessions >= sessions:
		return "Too many sessions from your address; try again when one has ended."
	case guests > 0 && p.guests >= guests:
		return "Too many connections from your address that have not logged in; try again in a minute."
	}
	if h.present == nil {
		h.present = map[netip.Addr]presence{}
	}
	h.present[host] = presence{p.sessions + 1, p.guests + 1}
	return ""
}

// countGuests notes that sessions of host have logged in, or out.
func (h *hosts) countGuests(host netip.Addr, change int) {
	if !host.IsValid() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.present[host]
	p.guests += change
	h.present[host] = p
}

// leave ends what enter has begun. The session is no guest any more.
func (h *hosts) leave(host netip.Addr) {
	if !host.IsValid() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.present[host]
	if p.sessions--; p.sessions == 0 {
		delete(h.present, host)
		return
	}
	h.present[host] = p
}

// loginDelay returns how long host has to wait before a login is tried, whose time is taken then. It is false where that
// is too long.
func (h *hosts) loginDelay(host netip.Addr, now time.Time) (time.Duration, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.suspects[host]
	if s == nil {
		return 0, true
	}
	if now.Sub(s.last) > suspectTime {
		delete(h.suspects, host)
		return 0, true
	}
	begin := now
	if s.free.After(now) {
		begin = s.free
	}
	if begin.Sub(now) > maxLoginDelay {
		return 0, false
	}
	s.free = begin.Add(s.delay())
	return begin.Sub(now), true
}

// delay is the time that each login takes.
func (s *suspect) delay() time.Duration {
	return time.Duration(min(s.failures, maxFailures)) * failureDelay
}

// failed notes a wrong password.
func (h *hosts) failed(host netip.Addr, now time.Time) {
	if !host.IsValid() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.suspects[host]
	if s == nil {
		h.makeRoom(now)
		s = &suspect{free: now}
		h.suspects[host] = s
	}
	s.failures++
	s.last = now
	if later := now.Add(s.delay()); later.After(s.free) {
		s.free = later
	}
}

// makeRoom for another suspect.
// LOCKS_REQUIRED(h.mu)
func (h *hosts) makeRoom(now time.Time) {
	if len(h.suspects) >= maxSuspects {
		for host, s := range h.suspects {
			if now.Sub(s.last) > suspectTime {
				delete(h.suspects, host)
			}
		}
	}
	if h.suspects == nil || len(h.suspects) >= maxSuspects {
		h.suspects = map[netip.Addr]*suspect{}
	}
}

// succeeded forgets what host has failed.
func (h *hosts) succeeded(host netip.Addr) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.suspects, host)
}
