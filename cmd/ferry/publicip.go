package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"ferry/cmd/ferry/internal/flags"
	"ferry/ftp"
)

// A publicIP finds the address that PASV announces. A host name is looked up again when the last
// answer is older than maxAge, because it may be that of a dynamic address.
type publicIP struct {
	host   string
	maxAge time.Duration
	lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)

	mu    sync.Mutex
	addr  netip.Addr // guarded by mu: the last answer
	until time.Time  // guarded by mu: when to ask again
}

// publicIPs are the addresses that PASV announces, by the network of the client: the smallest
// network that the client is in counts.
type publicIPs []publicOf

type publicOf struct {
	network netip.Prefix // the zero Prefix: all others
	public  *publicIP
}

func newPublicIPs(rows []flags.PublicIP) publicIPs {
	var all publicIPs
	for _, row := range rows {
		all = append(all, publicOf{row.Network, newPublicIP(row.Host)})
	}
	// The zero Prefix has -1 bits: it is the last.
	slices.SortStableFunc(all, func(a, b publicOf) int { return b.network.Bits() - a.network.Bits() })
	return all
}

// tune has the server announce them; none of them is the address of the control connection.
func (all publicIPs) tune(now *ftp.Tunable) {
	now.PublicIP = nil
	if len(all) > 0 {
		now.PublicIP = all.address
	}
}

// address is for ftp.Server.PublicIP. The zero Addr: the address of the control connection counts.
func (all publicIPs) address(ctx context.Context, client netip.Addr) (netip.Addr, error) {
	for _, one := range all {
		if !one.network.IsValid() || one.network.Contains(client.Unmap().WithZone("")) {
			return one.public.address(ctx, client)
		}
	}
	return netip.Addr{}, nil
}

// check logs when no address is found, so that it is not the first client that finds out.
func (all publicIPs) check(ctx context.Context, log *slog.Logger) {
	for _, one := range all {
		if _, err := one.public.address(ctx, netip.Addr{}); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "PASV is refused until the public address is found; EPSV needs none", "error", err)
		}
	}
}

func newPublicIP(host string) *publicIP {
	return &publicIP{host: host, maxAge: 30 * time.Second, lookup: net.DefaultResolver.LookupNetIP}
}

// address is for ftp.Server.PublicIP. When the name cannot be looked up, the last answer stays.
func (p *publicIP) address(ctx context.Context, _ netip.Addr) (netip.Addr, error) {
	if a, err := netip.ParseAddr(p.host); err == nil {
		return a, nil
	}
	last, isFresh := p.last()
	if isFresh {
		return last, nil
	}
	found, err := p.lookup(ctx, "ip4", p.host)
	switch {
	case err == nil && len(found) > 0:
		return p.remember(found[0].Unmap()), nil
	case last.IsValid():
		return last, nil
	}
	return netip.Addr{}, fmt.Errorf("--public-ip %q: %w", p.host, errors.Join(err, errNoAddress))
}

// last returns the last answer and whether it is fresh. One caller is told that it is not; while
// that one asks, the others take what there is, so that a slow resolver holds up nobody else.
func (p *publicIP) last() (netip.Addr, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.addr.IsValid() && now.Before(p.until) {
		return p.addr, true
	}
	p.until = now.Add(lookupTime)
	return p.addr, false
}

func (p *publicIP) remember(a netip.Addr) netip.Addr {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.addr, p.until = a, time.Now().Add(p.maxAge)
	return a
}

// lookupTime is how long one caller has to look the name up before the next one tries.
const lookupTime = 10 * time.Second

var errNoAddress = errors.New("no IPv4 address found")
