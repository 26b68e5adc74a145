package ftp

import (
	"net/netip"
	"sync"
)

// hosts counts sessions by client address. The zero value is ready.
type hosts struct {
	guesses Throttle

	mu      sync.Mutex
	present map[netip.Addr]presence // guarded by mu; addresses with sessions
}

// presence is how many sessions a client has.
type presence struct {
	sessions int
	guests   int // of them, those that have not logged in
}

// Addr returns the address that identifies the client: a whole IPv6 /64 usually belongs to one
// customer. It is not valid for a connection without addresses.
func (c Client) Addr() netip.Addr { return hostAddr(c.Remote.Addr()) }

// hostAddr returns the address that identifies a client: a whole IPv6 /64 usually belongs to one
// customer. It is not valid for a connection without addresses.
func hostAddr(a netip.Addr) netip.Addr {
	if !a.Is6() {
		return a
	}
	return netip.PrefixFrom(a.WithZone(""), 64).Masked().Addr()
}

// Elsewhere knows the sessions of other servers that hold clients to the same limits. Its methods
// may be called concurrently, and do not wait for anything.
type Elsewhere interface {
	// Others returns how many sessions a client has at the other servers. host is as Client.Addr.
	Others(host netip.Addr) int
	// Count tells how many sessions a client has at this one, if their number is limited, else 0.
	Count(host netip.Addr, sessions int)
}

// others returns how many sessions host has elsewhere, where that matters.
func others(host netip.Addr, limit int, e Elsewhere) int {
	if e == nil || limit <= 0 || !host.IsValid() {
		return 0
	}
	return e.Others(host)
}

// count tells of the sessions of host.
func count(host netip.Addr, sessions, limit int, e Elsewhere) {
	switch {
	case e == nil:
	case limit <= 0:
		e.Count(host, 0)
	default:
		e.Count(host, sessions)
	}
}

// admit counts a session of host that has not logged in. If that would exceed a limit, it returns
// the reason and does not count it. 0 is no limit; sessions counts for those elsewhere too.
func (h *hosts) admit(host netip.Addr, sessions, guests int, e Elsewhere) (why string) {
	if !host.IsValid() {
		return ""
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.present[host]
	switch {
	case sessions > 0 && p.sessions+others(host, sessions, e) >= sessions:
		return "Too many sessions from your address; try again when one has ended."
	case guests > 0 && p.guests >= guests:
		return "Too many connections from your address that have not logged in; try again in a minute."
	}
	if h.present == nil {
		h.present = map[netip.Addr]presence{}
	}
	h.present[host] = presence{p.sessions + 1, p.guests + 1}
	count(host, p.sessions+1, sessions, e)
	return ""
}

// onlyGuests reports whether no session of host has logged in.
func (h *hosts) onlyGuests(host netip.Addr) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.present[host]
	return p.guests == p.sessions
}

// countGuests adds change to the number of sessions of host without a login.
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

// release removes a session that admit has counted, held to as many as admit was told. The session
// is no guest any more.
func (h *hosts) release(host netip.Addr, sessions int, e Elsewhere) {
	if !host.IsValid() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.present[host]
	p.sessions--
	if count(host, p.sessions, sessions, e); p.sessions == 0 {
		delete(h.present, host)
		return
	}
	h.present[host] = p
}

// threeQuarters returns three quarters of n, rounded up: what one group may use, so that something
// is left for the others.
func threeQuarters(n int) int { return n - n/4 }
