package config

import (
	"fmt"
	"net/netip"
	"strings"
)

// ParseNetwork reads a network (10.0.0.0/8) or one address. IPv4 addresses within IPv6 are IPv4.
func ParseNetwork(text string) (netip.Prefix, error) {
	text = strings.TrimSpace(text)
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil || p.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("%q is no network: use an address (192.0.2.1) or a network (10.0.0.0/8, 2001:db8::/32)", text)
	}
	return p.Masked(), nil
}
