package sock

import (
	"net"
	"net/netip"
	"strconv"
	"syscall"
)

// sockaddr returns addr in the form of the kernel, and its address family.
func sockaddr(addr netip.AddrPort) (family int, sa syscall.Sockaddr, err error) {
	ip := addr.Addr().Unmap()
	if ip.Is4() {
		return syscall.AF_INET, &syscall.SockaddrInet4{Port: int(addr.Port()), Addr: ip.As4()}, nil
	}
	sa6 := &syscall.SockaddrInet6{Port: int(addr.Port()), Addr: ip.As16()}
	if zone := ip.Zone(); zone != "" {
		n, err := strconv.ParseUint(zone, 10, 32)
		if err != nil {
			i, err := net.InterfaceByName(zone)
			if err != nil {
				return 0, nil, err
			}
			n = uint64(i.Index)
		}
		sa6.ZoneId = uint32(n)
	}
	return syscall.AF_INET6, sa6, nil
}

// addrPortOf returns the address in sa, with zone if it is link-local; IPv4-mapped IPv6 is IPv4.
func addrPortOf(sa syscall.Sockaddr, zone string) netip.AddrPort {
	switch sa := sa.(type) {
	case *syscall.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *syscall.SockaddrInet6:
		ip := netip.AddrFrom16(sa.Addr).Unmap()
		if ip.IsLinkLocalUnicast() {
			ip = ip.WithZone(zone)
		}
		return netip.AddrPortFrom(ip, uint16(sa.Port))
	}
	return netip.AddrPort{}
}
