// Package link is a network of a given latency and rate in front of a server on this machine.
//
// It is made to cost little processor time: bytes move in large blocks, and what has not arrived
// yet gathers in the kernel meanwhile. Package remotetest has a proxy that breaks connections
// besides, for tests.
package link

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Options are what the network is like. The zero value passes everything on as fast as it can.
type Options struct {
	// Latency is the time of a round trip, half of it each way. A new connection takes one before
	// its first byte leaves.
	Latency time.Duration
	// PerConn and Total are the most bytes per second in each direction of one connection, and of
	// all together; 0 = no limit.
	PerConn, Total int64
}

// A Link listens on 127.0.0.1 and passes connections on to its target.
type Link struct {
	// constant
	o      Options
	target string
	ln     net.Listener

	down  atomic.Int64
	total [2]pace // up and down

	mu    sync.Mutex
	open  map[net.Conn]struct{} // guarded by mu; both ends of each connection
	ended bool                  // guarded by mu
}

// Listen opens a link to target, a host and port. Connections wait until Run is called.
func Listen(target string, o Options) (*Link, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &Link{o: o, target: target, ln: ln, open: map[net.Conn]struct{}{}}
	l.total[0].rate, l.total[1].rate = o.Total, o.Total
	return l, nil
}

// Addr is where the link listens.
func (l *Link) Addr() string { return l.ln.Addr().String() }

// Down is how many bytes have been passed on from the target so far.
func (l *Link) Down() int64 { return l.down.Load() }

// Run passes connections on until ctx ends; then it breaks them and returns nil. It is called once.
func (l *Link) Run(ctx context.Context) error {
	var all sync.WaitGroup
	defer all.Wait()
	stop := context.AfterFunc(ctx, l.end)
	defer stop()
	for {
		client, err := l.ln.Accept()
		switch {
		case err == nil:
			all.Go(func() { l.serve(client) })
		case errors.Is(err, net.ErrClosed):
			return nil
		default:
			l.end()
			return err
		}
	}
}

// end closes everything.
func (l *Link) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	l.ln.Close()
	for c := range l.open {
		c.Close()
	}
}

// keep notes an open connection, so that end closes it, or closes it at once behind the end.
func (l *Link) keep(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		c.Close()
	}
	l.open[c] = struct{}{}
}

func (l *Link) drop(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, c)
	c.Close()
}

// serve passes one connection on until both of its directions have ended, or one has broken.
func (l *Link) serve(client net.Conn) {
	l.keep(client)
	defer l.drop(client)
	began := time.Now()
	server, err := net.Dial("tcp", l.target)
	if err != nil {
		return
	}
	l.keep(server)
	defer l.drop(server)
	up := &lane{from: client, to: server, total: &l.total[0], open: began.Add(l.o.Latency)}
	down := &lane{from: server, to: client, total: &l.total[1], open: began, count: &l.down}
	var both sync.WaitGroup
	for _, way := range []*lane{up, down} {
		way.delay, way.own.rate = l.o.Latency/2, l.o.PerConn
		both.Go(func() {
			if err := way.run(); err != nil { // an end in good order is passed on, anything else breaks both
				client.Close()
				server.Close()
			}
		})
	}
	both.Wait()
}
