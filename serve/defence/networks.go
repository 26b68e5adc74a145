package defence

import (
	"net/netip"
	"slices"
)

// Host returns the addresses that are taken for one client: a whole IPv6 /64 usually belongs to one
// customer.
func Host(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(addr, bits).Masked()
}

// isTrusted reports whether addr is never banned.
func (g *Guard) isTrusted(addr netip.Addr) bool {
	return addr.IsLoopback() || contain(g.known.Load().Trusted, addr)
}

func contain(networks []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(addr) })
}
