// Package presence counts the sessions of users and of addresses over all nodes of a cluster. What
// a node has, it tells the others; what they have, it knows without asking, so that a login waits
// for nobody.
//
// A count may be late by the time that a message takes: as many sessions as begin within it may
// begin beyond a limit. A node that is lost counts until it has not been heard of for Lost, and
// while the engine is away each node counts what it has itself.
//
// The files, in reading order:
//
//	presence.go   Counts: what this node has, and what the others have
//	publish.go    tells the others
//	peers.go      hears of them
//	value.go      what is written for each other
package presence

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"time"

	"ferry/cluster"
)

// Bucket is where the counts are.
const Bucket = "sessions"

const (
	// Beat is how often a node shows that it is there.
	Beat = 20 * time.Second
	// Lost is for how long a node that is not heard of counts.
	Lost = 75 * time.Second
)

// Options are what Counts need; Engine and Node are required.
type Options struct {
	Engine cluster.Engine
	Node   string       // what this node is called, as no other
	Log    *slog.Logger // nil = none
}

// Counts are how many sessions users and addresses have, here and at other nodes. Run keeps them
// up. The methods may be called concurrently, and do not wait for the engine.
type Counts struct {
	o   Options
	run string        // tells this run of the node from those before
	due chan struct{} // something is to be published
	own *cluster.Own

	mu    sync.Mutex
	here  [parts]map[string]int // guarded by mu; by part and name
	dirty [parts]bool           // guarded by mu; is to be published
	beat  bool                  // guarded by mu; is to be published, too
	away  bool                  // guarded by mu; the last try to publish has failed
	peers map[string]*peer      // guarded by mu; the other nodes
}

// New returns Counts of nothing yet.
func New(o Options) *Counts {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Counts{
		o: o, run: rand.Text(), due: make(chan struct{}, 1),
		own: cluster.NewOwn(o.Engine, Bucket), peers: map[string]*peer{},
	}
}

// Run publishes what there is here and follows the others until ctx ends, and tells them of that.
func (c *Counts) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { _ = cluster.Values(ctx, c.o.Engine, Bucket, c.heard) }) // it returns when ctx has ended
	return c.publish(ctx)
}

// Users counts sessions by the names of users.
func (c *Counts) Users() Users { return Users{c} }

// Hosts counts sessions by the addresses of clients.
func (c *Counts) Hosts() Hosts { return Hosts{c} }

// Users are the sessions of users.
type Users struct{ c *Counts }

// Others returns how many sessions a user has at other nodes.
func (u Users) Others(user string) int { return u.c.others(userPrefix + user) }

// Count sets how many sessions a user has here.
func (u Users) Count(user string, n int) { u.c.count(userPrefix+user, n) }

// Hosts are the sessions of addresses.
type Hosts struct{ c *Counts }

// Others implements ftp.Elsewhere.
func (h Hosts) Others(host netip.Addr) int { return h.c.others(hostPrefix + host.String()) }

// Count implements ftp.Elsewhere.
func (h Hosts) Count(host netip.Addr, n int) { h.c.count(hostPrefix+host.String(), n) }

// What names begin with.
const (
	userPrefix = "u:"
	hostPrefix = "a:"
)

// count sets how many sessions there are here of a name.
func (c *Counts) count(name string, n int) {
	part := partOf(name)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.here[part][name] == n {
		return
	}
	if c.here[part] == nil {
		c.here[part] = map[string]int{}
	}
	if c.here[part][name] = n; n == 0 {
		delete(c.here[part], name)
	}
	c.dirty[part] = true
	c.wake()
}

// others returns how many sessions of a name the other nodes have.
func (c *Counts) others(name string) int {
	part := partOf(name)
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	sum := 0
	for _, p := range c.peers {
		if held := p.parts[part]; held.run == p.run && p.alive(now) {
			sum += held.counts[name]
		}
	}
	return sum
}

// Elsewhere returns how many sessions users and addresses have at other nodes, for a display. Those
// without a limit are not among them.
func (c *Counts) Elsewhere() (users, hosts map[string]int) {
	users, hosts = map[string]int{}, map[string]int{}
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.peers {
		if !p.alive(now) {
			continue
		}
		for _, held := range p.parts {
			if held.run != p.run {
				continue
			}
			for name, n := range held.counts {
				if user, is := strings.CutPrefix(name, userPrefix); is {
					users[user] += n
				} else {
					hosts[strings.TrimPrefix(name, hostPrefix)] += n
				}
			}
		}
	}
	return users, hosts
}
