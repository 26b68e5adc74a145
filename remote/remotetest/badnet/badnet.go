// Package badnet is a bad network between a driver and a server, for tests. A Proxy sees bytes: it
// slows, cuts, holds and refuses connections. A Network sees the requests of HTTP: it delays their
// bodies, keeps answers, loses them when the server is done, delivers what it has buffered after
// the client has gone and in another order than it came, answers in the place of the server, and
// breaks connections. What becomes of a request is said by rules, or drawn on a seed:
//
//	n := badnet.Start(t, server)          // the driver gets n.Addr in the place of server
//	n.Add(badnet.Rule{Method: "PUT", Path: "/f", Fate: badnet.Fate{Rate: 200_000}})
//	n.Play(badnet.Odds{Seed: seed, Late: 0.1, Dropped: 0.1, Longest: 3 * time.Second})
//	...
//	n.Heal()                              // what comes from now on passes
//	n.Settle(ctx)                         // what is still on its way arrives
//	t.Log(n.History())                    // for the message of a failure
//
// A request that has come whole is delivered, whatever becomes of the client: nothing calls it
// back. Of one that the client has cut, the server gets what came, and a connection that breaks.
//
// The files, in reading order: calls lead from a file to those after it.
//
//	badnet.go        Network; exchange.go: a request and its answer; spool.go: its body on the way
//	fate.go          rules and odds: what becomes of a request; history.go: what became of it
//	proxy.go         Proxy; proxypass.go: what passes through a connection
//	proxyhold.go     Hold; proxycut.go: Cut; proxied.go: the two sides of a connection
//	pace.go          rates; settle_linux.go, settle_other.go: the wait before a reset
package badnet

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"
)

// A Network is one way to one server.
type Network struct {
	// constant
	Addr   string // where it listens, on 127.0.0.1
	target string
	ln     net.Listener
	begun  time.Time
	stop   context.CancelFunc
	wg     sync.WaitGroup

	mu       sync.Mutex
	rules    []*Rule        // guarded by mu
	odds     *Odds          // guarded by mu; nil = none
	drawn    map[string]int // guarded by mu; how often odds were asked about a kind of request
	count    int            // guarded by mu; requests so far
	underway int            // guarded by mu; requests that have not arrived, or are not answered
	hurry    chan struct{}  // guarded by mu; closed by Hurry
	idle     chan struct{}  // guarded by mu; closed when nothing is under way; nil = nobody waits for that
	history  []string       // guarded by mu
	noted    chan struct{}  // guarded by mu; closed at the next note
}

// Start starts a network to target, a host and port. It ends with the test.
func Start(t testing.TB, target string) *Network {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	n := &Network{
		Addr:   ln.Addr().String(),
		target: target,
		ln:     ln,
		begun:  time.Now(),
		stop:   cancel,
		drawn:  map[string]int{},
		hurry:  make(chan struct{}),
		noted:  make(chan struct{}),
	}
	n.wg.Go(func() { n.accept(ctx) })
	t.Cleanup(n.Close)
	return n
}

// Close breaks everything off. What has not arrived by then is lost.
func (n *Network) Close() {
	n.stop()
	n.ln.Close()
	n.wg.Wait()
}

// Add adds a rule. Of several that fit a request the one that was added first counts, as long as it
// lasts.
func (n *Network) Add(r Rule) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if r.Times == 0 {
		r.Times = -1
	}
	n.rules = append(n.rules, &r)
}

// Play draws what becomes of the requests that no rule fits, until Heal.
func (n *Network) Play(o Odds) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.odds = &o
	clear(n.drawn)
	n.note("odds %+v", o)
}

// Heal forgets all rules and odds. What is under way arrives as it would have.
func (n *Network) Heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.rules, n.odds = nil, nil
	n.note("healed")
}

// Hurry lets all that is kept, or is late, go on at once.
func (n *Network) Hurry() {
	n.mu.Lock()
	defer n.mu.Unlock()
	close(n.hurry)
	n.hurry = make(chan struct{})
	n.note("what was kept goes on")
}

// Underway returns how many requests have not arrived, or are not answered.
func (n *Network) Underway() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.underway
}

// Settle returns when nothing is under way, or ctx ends.
func (n *Network) Settle(ctx context.Context) error {
	n.mu.Lock()
	if n.underway == 0 {
		n.mu.Unlock()
		return nil
	}
	if n.idle == nil {
		n.idle = make(chan struct{})
	}
	idle := n.idle
	n.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (n *Network) accept(ctx context.Context) {
	for {
		conn, err := n.ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			n.wg.Go(func() { n.serve(ctx, conn.(*net.TCPConn)) })
		}
	}
}
