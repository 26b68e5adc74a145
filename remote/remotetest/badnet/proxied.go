package badnet

import (
	"io"
	"net"
	"sync"
	"time"
)

const (
	// inFlight is how many chunks may be on their way in one direction of a connection: with a
	// latency of 30 ms, enough for more than 100 MB/s.
	inFlight = 128
)

// proxied is one connection through a Proxy.
type proxied struct {
	p       *Proxy
	client  *net.TCPConn
	control bool          // of FTP
	gone    chan struct{} // closed by reset

	mu     sync.Mutex
	server *net.TCPConn // guarded by mu; nil until it is connected
	broken bool         // guarded by mu
}

// connected takes the other side in, unless c is broken already.
func (c *proxied) connected(server *net.TCPConn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken {
		server.Close()
		return false
	}
	c.server = server
	return true
}

// reset breaks both sides.
func (c *proxied) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.broken {
		c.broken = true
		close(c.gone)
	}
	for _, conn := range []*net.TCPConn{c.client, c.server} {
		if conn != nil {
			_ = conn.SetLinger(0) // an end without FIN
			conn.Close()
		}
	}
}

func (c *proxied) isBroken() bool {
	select {
	case <-c.gone:
		return true
	default:
		return false
	}
}

// run passes bytes on until both directions have ended.
func (c *proxied) run() {
	var wg sync.WaitGroup
	wg.Go(func() { c.pass(c.server, c.client, Up) })
	wg.Go(func() { c.pass(c.client, c.server, Down) })
	wg.Wait()
	c.client.Close()
	c.server.Close()
}

// A flight is a chunk on its way.
type flight struct {
	data    []byte
	arrives time.Time
}

// pass moves the bytes of one direction. An end is passed on as such, everything else breaks the
// connection.
func (c *proxied) pass(to, from *net.TCPConn, d Direction) {
	way := make(chan flight, inFlight)
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { c.arrive(to, way, d) })
	defer close(way)
	begin := time.Now()
	if d == Up { // the handshake comes first
		begin = begin.Add(c.p.o.Latency)
	}
	size := c.p.o.chunkSize()
	for {
		buf := make([]byte, size)
		n, err := from.Read(buf)
		if n > 0 {
			c.p.came(d, int64(n))
			sent := time.Now()
			if sent.Before(begin) {
				sent = begin
			}
			data := buf[:n]
			if c.control && d == Down {
				data = c.announce(data)
			}
			way <- flight{data, sent.Add(c.p.o.Latency / 2)}
		}
		switch {
		case err == io.EOF:
			return
		case err != nil && d == Up && c.p.o.Deliver && !c.isBroken():
			return
		case err != nil:
			c.reset()
			return
		}
	}
}

// chunkSize is less at a low rate, so that the bytes come evenly.
func (o ProxyOptions) chunkSize() int64 {
	size := int64(chunk)
	for _, rate := range []int64{o.PerConn, o.Total} {
		if rate > 0 {
			size = min(size, rate/50+1)
		}
	}
	return size
}

// arrive writes what is on its way when it is due, as fast as the limits allow.
func (c *proxied) arrive(to *net.TCPConn, way <-chan flight, d Direction) {
	own := newPace(c.p.o.PerConn)
	failed := false
	for f := range way {
		if failed {
			continue // whoever reads must not wait for ever
		}
		time.Sleep(time.Until(f.arrives))
		if failed = !c.p.held(c, d); failed {
			continue
		}
		n, breaks := c.p.allow(c, d, int64(len(f.data)))
		own.wait(n)
		c.p.total[d].wait(n)
		_, err := to.Write(f.data[:n])
		if breaks {
			settle(to)
		}
		failed = breaks || err != nil
		if breaks || failed && (d == Up || !c.p.o.Deliver) {
			c.reset()
		}
	}
	_ = to.CloseWrite() // it fails when the connection is broken
}

// A pace lets bytes pass at a rate.
type pace struct {
	rate int64 // bytes per second; 0 = no limit

	mu   sync.Mutex
	next time.Time // guarded by mu; when the next byte may pass
}

// slack is how much of a wait that took too long is made up for.
const slack = 5 * time.Millisecond

func newPace(rate int64) *pace { return &pace{rate: rate, next: time.Now()} }

// wait returns when n bytes have had their time.
func (p *pace) wait(n int64) {
	if p.rate == 0 {
		return
	}
	p.mu.Lock()
	if earliest := time.Now().Add(-slack); p.next.Before(earliest) {
		p.next = earliest
	}
	p.next = p.next.Add(time.Duration(float64(n) / float64(p.rate) * float64(time.Second)))
	until := p.next
	p.mu.Unlock()
	time.Sleep(time.Until(until))
}
