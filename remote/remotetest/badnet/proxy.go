package badnet

import (
	"errors"
	"net"
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

// endRelays ends those that are waiting.
func (p *Proxy) endRelays() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, ln := range p.relays {
		ln.Close()
	}
}
