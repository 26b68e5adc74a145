package defence

import (
	"net/netip"
	"slices"
	"sync"
)

// crowds finds a load balancer or address translator in front of the server that hides its clients:
// an address of a private network from which many users come. The zero value is ready.
type crowds struct {
	mu    sync.Mutex
	users map[netip.Addr][]string // guarded by mu; who has logged in
	found bool                    // guarded by mu
}

const (
	fewUsers  = 3    // a household, or a machine with a few jobs
	maxCrowds = 1000 // addresses that are kept
)

// grew counts a login. It reports whether more than a few users have come from addr, once.
func (c *crowds) grew(addr netip.Addr, user string) bool {
	if !addr.IsPrivate() {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	known, kept := c.users[addr]
	switch {
	case c.found, slices.Contains(known, user), !kept && len(c.users) >= maxCrowds:
		return false
	case len(known) == fewUsers:
		c.found, c.users = true, nil
		return true
	}
	if c.users == nil {
		c.users = map[netip.Addr][]string{}
	}
	c.users[addr] = append(known, user)
	return false
}
