package ftp

import (
	"net/netip"
	"sync"
)

// hosts is what is known of the clients by their address. The zero value is ready.
type hosts struct {
	guesses Throttle

	mu      sync.Mutex
	present map[netip.Addr]presence // guarded by mu; those that have sessions
}

// presence is how many sessions a client has.
type presence struct {
	sessions int
	guests   int // of them, those that have not logged in
}

// Addr returns the address that stands for the client: one customer usually has all the addresses
// of an IPv6 /64. It is not valid for a connection without addresses.
func (c Client) Addr() netip.Addr { return hostAddr(c.Remote.Addr()) }

// hostAddr returns the address that stands for a client: one customer usually has all the addresses
// of an IPv6 /64. It is not valid for a connection without addresses.
func hostAddr(a netip.Addr) netip.Addr {
	if !a.Is6() {
		return a
	}
	return netip.PrefixFrom(a.WithZone(""), 64).Masked().Addr()
}

// enter counts a session of host, which has not logged in, unless that would be more than the
// limits allow: then it says so. 0 is no limit.
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
