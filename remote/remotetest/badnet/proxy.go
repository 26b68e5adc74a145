package badnet

import (
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"time"
)

// ProxyOptions are what a Proxy makes of a network. The zero value passes everything on as fast as
// it can.
type ProxyOptions struct {
	// Latency is added to each round trip, half of it each way, and to the beginning of a
	// connection.
	Latency time.Duration
	// PerConn and Total are the most bytes per second in each direction of one connection, and of
	// all together. 0 = no limit.
	PerConn, Total int64
	// FTP lets the data connections of an FTP server go through the proxy, too: those that its
	// client makes by EPSV, on control connections without TLS.
	FTP bool
	// Deliver lets what came from a client reach the server also when the client is gone, with a
	// reset too. Only then does the server see an end, an orderly one.
	Deliver bool
}

// A Direction is one of the two ways through a Proxy.
type Direction int

const (
	Up   Direction = iota // from the client to the server
	Down                  // from the server to the client
)

// A Cut is where a connection breaks: at the byte number After + At * Of, counted from the call of
// Proxy.Cut on. The bytes before are passed on, then both sides see a reset.
type Cut struct {
	Direction Direction // whose bytes are counted
	After     int64
	At        float64 // a fraction of Of: 0.9 for 90 %
	Of        int64

	Each  bool // count the bytes of each new connection, not those of all together
	All   bool // break all connections, not only that of the last byte
	Times int  // how often this happens, each time counted anew; 0 = once
}

// A Proxy is a worse way to a server on this machine.
type Proxy struct {
	// constant
	Addr   string // where the proxy listens, on 127.0.0.1
	target string
	o      ProxyOptions
	ln     net.Listener
	total  [2]*pace
	wg     sync.WaitGroup

	mu      sync.Mutex
	open    map[*proxied]bool // guarded by mu
	cuts    []*cut            // guarded by mu
	refuse  bool              // guarded by mu
	accepts int               // guarded by mu
	bytes   [2]int64          // guarded by mu
	holds   [2]*hold          // guarded by mu; nil = nothing is held in that direction
	relays  []net.Listener    // for data connections of FTP, used or not; guarded by mu
}

// cut is a Cut that is waiting.
type cut struct {
	Cut
	left int64              // bytes until it happens; not with Each
	each map[*proxied]int64 // the same, with Each
}

// NewProxy starts a proxy to target, a host and port. It ends with the test.
func NewProxy(t testing.TB, target string, o ProxyOptions) *Proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{
		Addr:   ln.Addr().String(),
		target: target,
		o:      o,
		ln:     ln,
		total:  [2]*pace{newPace(o.Total), newPace(o.Total)},
		open:   map[*proxied]bool{},
	}
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		ln.Close()
		p.Refuse(true)
		p.endRelays()
		p.wg.Wait()
	})
	return p
}

// Cut lets a connection break. Several cuts are counted beside each other.
func (p *Proxy) Cut(c Cut) {
	c.After += int64(c.At * float64(c.Of))
	c.Times = max(c.Times, 1)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cuts = append(p.cuts, &cut{Cut: c, left: c.After, each: map[*proxied]int64{}})
}

// Heal forgets every Cut, passes on what is held, and lets connections through again.
func (p *Proxy) Heal() {
	p.Release(Up)
	p.Release(Down)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cuts = nil
	p.refuse = false
}

// Reset breaks all connections that are open.
func (p *Proxy) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reset()
}

// LOCKS_REQUIRED(p.mu)
func (p *Proxy) reset() {
	for c := range p.open {
		c.reset()
	}
}

// Refuse breaks all connections and, while it is on, every new one as soon as it is there.
func (p *Proxy) Refuse(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = on
	if on {
		p.reset()
	}
}

// Vanish breaks all connections, and leaves nobody to connect to: a new one does not come about, so
// that nothing can be written to it. It is not to be undone.
func (p *Proxy) Vanish() {
	p.ln.Close()
	p.Refuse(true)
}

// Connections returns how many connections were begun.
func (p *Proxy) Connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.accepts
}

// Bytes returns how many bytes came through in a direction.
func (p *Proxy) Bytes(d Direction) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bytes[d]
}

func (p *Proxy) accept() {
	for {
		client, err := p.ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			p.wg.Go(func() { p.serve(client.(*net.TCPConn), p.target, p.o.FTP) })
		}
	}
}

// serve passes a connection on to target; control says that it may announce others.
func (p *Proxy) serve(client *net.TCPConn, target string, control bool) {
	c := &proxied{p: p, client: client, control: control, gone: make(chan struct{})}
	if !p.begin(c) {
		c.reset()
		return
	}
	defer p.end(c)
	server, err := net.Dial("tcp", target)
	if err != nil {
		c.reset()
		return
	}
	if !c.connected(server.(*net.TCPConn)) {
		return
	}
	c.run()
}

// begin takes c in, unless new connections are refused.
func (p *Proxy) begin(c *proxied) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.accepts++
	if p.refuse {
		return false
	}
	p.open[c] = true
	for _, cut := range p.cuts {
		if cut.Each {
			cut.each[c] = cut.After
		}
	}
	return true
}

func (p *Proxy) end(c *proxied) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, c)
	for _, cut := range p.cuts {
		delete(cut.each, c)
	}
}

// allow returns how many of n bytes may pass before c breaks, and whether it then does.
func (p *Proxy) allow(c *proxied, d Direction, n int64) (int64, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var broken *cut
	for _, cut := range p.cuts {
		left, counts := cut.leftOf(c)
		if cut.Direction == d && counts && left <= n {
			n, broken = left, cut
		}
	}
	for _, cut := range p.cuts {
		if left, counts := cut.leftOf(c); cut.Direction == d && counts {
			cut.setLeft(c, left-n)
		}
	}
	p.bytes[d] += n
	if broken == nil {
		return n, false
	}
	if broken.left, broken.Times = broken.After, broken.Times-1; broken.Times == 0 {
		p.cuts = slices.DeleteFunc(p.cuts, func(c *cut) bool { return c == broken })
	}
	if broken.All {
		for other := range p.open {
			if other != c {
				other.reset()
			}
		}
	}
	return n, true
}

func (k *cut) leftOf(c *proxied) (left int64, counts bool) {
	if !k.Each {
		return k.left, true
	}
	left, counts = k.each[c]
	return left, counts
}

func (k *cut) setLeft(c *proxied, left int64) {
	if k.Each {
		k.each[c] = left
		return
	}
	k.left = left
}
