package badnet

import (
	"io"
	"net"
	"regexp"
	"strconv"
	"sync"
	"time"
)

const (
	// inFlight is how many chunks may be on their way in one direction of a connection: with a
	// latency of 30 ms, enough for more than 100 MB/s.
	inFlight = 128
)

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

// epsvReply is what an FTP server says of the port that it listens on for a data connection (RFC
// 2428).
var epsvReply = regexp.MustCompile(`229 [^\r\n]*\(\|\|\|(\d+)\|\)`)

// announce returns what a control connection says to its client, with the ports of data connections
// replaced by ports that this proxy listens on. A reply is written at once, and so read at once.
func (c *proxied) announce(text []byte) []byte {
	at := epsvReply.FindSubmatchIndex(text)
	if at == nil {
		return text
	}
	host, _, err := net.SplitHostPort(c.p.target)
	if err != nil {
		return text
	}
	port, err := c.p.relay(net.JoinHostPort(host, string(text[at[2]:at[3]])))
	if err != nil {
		return text
	}
	said := append([]byte{}, text[:at[2]]...)
	said = strconv.AppendInt(said, int64(port), 10)
	return append(said, text[at[3]:]...)
}

// relay listens for one connection, which it passes on to target. Whoever does not come is waited
// for until the proxy ends.
func (p *Proxy) relay(target string) (port int, err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	p.mu.Lock()
	refuse := p.refuse
	p.relays = append(p.relays, ln)
	p.mu.Unlock()
	if refuse { // it may be ending
		ln.Close()
		return 0, net.ErrClosed
	}
	p.wg.Go(func() {
		client, err := ln.Accept()
		ln.Close()
		if err == nil {
			p.serve(client.(*net.TCPConn), target, false)
		}
	})
	return ln.Addr().(*net.TCPAddr).Port, nil
}
