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
package badnet

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
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

// fate decides what becomes of a request of which the rules fit method and path.
// LOCKS_REQUIRED(n.mu)
func (n *Network) fate(method, path string, size int64) Fate {
	for _, r := range n.rules {
		if !r.fits(method, path) || r.Times == 0 {
			continue
		}
		if r.Skip > 0 {
			r.Skip--
			continue
		}
		if r.Times > 0 {
			r.Times--
		}
		return r.Fate
	}
	if n.odds == nil {
		return Fate{}
	}
	kind := kindOf(method, path)
	n.drawn[kind]++
	rng := rand.New(rand.NewPCG(n.odds.Seed, hashOf(kind)+uint64(n.drawn[kind])*0x9e3779b97f4a7c15))
	return n.odds.draw(rng, method, size)
}

// begin takes in a request.
func (n *Network) begin(req *http.Request) *exchange {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.count++
	n.underway++
	x := &exchange{
		n: n, number: n.count, fate: n.fate(req.Method, req.RequestURI, req.ContentLength), hurry: n.hurry, req: req,
		expects: req.Header.Get("Expect") != "",
		taken:   make(chan struct{}), answer: make(chan *http.Response, 1), replied: make(chan struct{}),
	}
	req.Header.Del("Expect")
	req.Header.Set("Connection", "close") // with the server
	ahead := x.fate.Buffer
	if x.fate.later() {
		ahead = 0 // all of it
	}
	x.body = newSpool(ahead)
	n.note("#%d %s %s, %d bytes: %v", x.number, req.Method, req.RequestURI, req.ContentLength, x.fate)
	return x
}

func (n *Network) end() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.underway--
	if n.underway == 0 && n.idle != nil {
		close(n.idle)
		n.idle = nil
	}
}

// mostNotes is how many notes are kept, at least.
const mostNotes = 5000

// note adds a line to the history.
// LOCKS_REQUIRED(n.mu)
func (n *Network) note(format string, args ...any) {
	if len(n.history) >= 2*mostNotes {
		n.history = slices.Delete(n.history, 0, mostNotes)
	}
	n.history = append(n.history, line(time.Since(n.begun), format, args...))
	close(n.noted)
	n.noted = make(chan struct{})
}
