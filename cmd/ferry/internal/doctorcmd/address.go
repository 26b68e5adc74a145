package doctorcmd

import (
	"context"
	"net"
	"net/netip"
	"time"
)

const areaAddress = "address"

// A Finder knows addresses: the system's, or those of a test.
type Finder struct {
	Lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)
	Own    func() ([]net.Addr, error)
}

// System is the Finder of this machine.
func System() Finder { return Finder{net.DefaultResolver.LookupNetIP, net.InterfaceAddrs} }

// lookupTime is how long a name may take to be looked up.
const lookupTime = 10 * time.Second

// PublicAddress looks at what PASV announces: whether it is an address, and whose.
func (f Finder) PublicAddress(ctx context.Context, r *Report, host string) {
	const what = "--public-ip"
	a, err := netip.ParseAddr(host)
	if err != nil {
		ctx, cancel := context.WithTimeout(ctx, lookupTime)
		defer cancel()
		found, err := f.Lookup(ctx, "ip4", host)
		if err != nil || len(found) == 0 {
			r.Fail(areaAddress, what, "correct the name, or give an IPv4 address: PASV is refused until it is found", "%s: %v", host, orNothing(err))
			return
		}
		a = found[0].Unmap()
	}
	own, err := f.Own()
	if err != nil {
		r.Skip(areaAddress, what, "%s: this machine does not tell its addresses", host)
		return
	}
	for _, o := range own {
		if n, is := o.(*net.IPNet); is && n.IP.Equal(net.IP(a.AsSlice())) {
			r.OK(areaAddress, what, "%s is %s, an address of this machine", host, a)
			return
		}
	}
	switch {
	case a.IsPrivate():
		r.Warn(areaAddress, what, "give the address by which clients reach this machine", "%s is %s, which is private, and not of this machine", host, a)
	default:
		r.add(Row{areaAddress, what, OK, host + " is " + a.String() + ", not of this machine: that of a router (NAT)",
			"have the router send the control port and all ports of --passive-port to this machine"})
	}
}

func orNothing(err error) any {
	if err == nil {
		return "it has no IPv4 address"
	}
	return err
}

// NoPublicAddress notes what follows where no address is announced.
func (f Finder) NoPublicAddress(r *Report) {
	own, err := f.Own()
	if err != nil {
		return
	}
	for _, o := range own {
		n, is := o.(*net.IPNet)
		if !is {
			continue
		}
		if a, ok := netip.AddrFromSlice(n.IP); ok && a.Unmap().Is4() && !a.Unmap().IsLoopback() && !a.Unmap().IsPrivate() && !a.Unmap().IsLinkLocalUnicast() {
			r.OK(areaAddress, "--public-ip", "not needed: this machine has %s", a.Unmap())
			return
		}
	}
	r.add(Row{areaAddress, "--public-ip", Skipped, "this machine has private addresses only",
		"for clients on the other side of a router, give --public-ip with the router's address or name"})
}
