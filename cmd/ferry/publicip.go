package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
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

// check logs when no address is found, so that it is not the first client that finds out.
func (p *publicIP) check(ctx context.Context, log *slog.Logger) {
	if _, err := p.address(ctx, netip.Addr{}); err != nil && ctx.Err() == nil {
		log.WarnContext(ctx, "PASV is refused until the public address is found; EPSV needs none", "error", err)
	}
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
