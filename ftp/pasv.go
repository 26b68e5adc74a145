package ftp

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// endpoint is what PASV, EPSV, PORT and EPRT leave behind: the next data connection, once.
type endpoint interface {
	// open brings the connection about. It uses the endpoint up, whatever the outcome.
	open(ctx context.Context) (net.Conn, error)
	// close gives up what open has not used. It may be called more than once, and from another
	// goroutine while open waits: open then fails at once. It does not touch a connection that open
	// has returned.
	close()
	// dismiss is close for an endpoint that open was not called on: the connections that were made
	// meanwhile end in good order. The client has wait to end its side, too; what it sends later is
	// answered by a reset. Where it may be making a TLS handshake that is made first, by secure,
	// which closes the connection and returns nil when it fails.
	dismiss(wait time.Duration, secure func(net.Conn) *dataConn)
}

var (
	errPortsExhausted = errors.New("every passive port is in use")
	errPortTaken      = errors.New("port taken")
	errPortUnused     = errors.New("the port was not used for too long")
	errEndpointUsed   = errors.New("the data connection endpoint is closed or used up")
)

// dynamicPorts are those set aside for no registered service (RFC 6335, section 6): where passive
// ports come from when nobody says otherwise. Port 0 would let the kernel choose, but its choice
// avoids every port with a connection in TIME-WAIT, of which each download leaves one: after some
// ten thousand downloads within a minute nothing is left on the whole machine, and the search
// becomes slow long before. Binding to a port by number has neither problem. Some systems also hand
// out port 0 in sequence, so that the next one is easy to guess.
var dynamicPorts = PortRange{First: 49152, Last: 65535}

// passive waits for the client to connect (RFC 959, section 4.1.2, PASV; RFC 2428, section 3,
// EPSV).
//
// Most clients send the command that uses the connection at once. When it does not come for a
// moment, attend accepts what arrives, so that strangers do not fill the queue, and ends what
// nobody uses. A client that begins a TLS handshake before the command, and sends the command when
// that is done, has its handshake then.
type passive struct {
	listener *tcpListener
	allowed  func(netip.Addr) bool
	timeout  time.Duration
	// secure makes the handshake on the connection that attend has accepted, when the client has
	// sent hello, its beginning, before the command; nil for none.
	secure   func(ctx context.Context, conn net.Conn, hello []byte) (*dataConn, error)
	released func() // called when the port is free again, at least once; nil = nobody wants to know

	mu      sync.Mutex
	opened  bool          // guarded by mu; open or dismiss was called, or it has expired
	over    error         // guarded by mu; why nothing can come of it any more, before it was opened
	timer   *time.Timer   // guarded by mu; begins attend, later expire; nil where nobody asked for them
	arrived chan struct{} // guarded by mu; closed when attend is done; nil before it begins
	silent  net.Conn      // guarded by mu; attend waits for its first byte
	cancel  func()        // guarded by mu; ends the handshake of attend
	conn    net.Conn      // what attend has accepted; guarded by mu
	early   *dataConn     // conn, if its handshake is done; guarded by mu
	failure error         // or why it has not; guarded by mu
}

// listenPassive listens on local at a port of ports that cannot be guessed from those before.
// Connections from where allowed says no are dropped. timeout is how long open waits for another
// one.
func listenPassive(local netip.Addr, allowed func(netip.Addr) bool, ports PortRange, timeout time.Duration) (*passive, error) {
	for port := range ports.usable().shuffled() {
		l, err := listenPort(netip.AddrPortFrom(local, port))
		if errors.Is(err, errPortTaken) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("listening for a data connection: %w", err)
		}
		return &passive{listener: l, allowed: allowed, timeout: timeout}, nil
	}
	return nil, errPortsExhausted
}

// usable is the range that r stands for.
func (r PortRange) usable() PortRange {
	if r == (PortRange{}) {
		return dynamicPorts
	}
	return PortRange{First: max(r.First, 1), Last: r.Last}
}

// size is how many ports r stands for.
func (r PortRange) size() int {
	r = r.usable()
	return int(r.Last) - int(r.First) + 1
}

// shuffled yields every port of the range once, beginning anywhere: it walks the range in steps
// that have no divisor in common with its size. Nothing is drawn or stored per port.
func (r PortRange) shuffled() func(yield func(uint16) bool) {
	return func(yield func(uint16) bool) {
		size := int(r.Last) - int(r.First) + 1
		if size <= 0 {
			return
		}
		at, step := rand.IntN(size), coprime(size)
		for range size {
			if !yield(r.First + uint16(at)) {
				return
			}
			at = (at + step) % size
		}
	}
}

// coprime draws a number in [1, n] that has no divisor in common with n.
func coprime(n int) int {
	for {
		step := 1 + rand.IntN(n)
		a, b := n, step
		for b != 0 {
			a, b = b, a%b
		}
		if a == 1 {
			return step
		}
	}
}

// port is the number that the reply announces.
func (p *passive) port() uint16 { return p.listener.port }

// attendAfter is how long connections wait in the queue of the kernel before they are looked at
// without a command.
const attendAfter = 20 * time.Millisecond

// limit ends what was arranged when it is not used within that time. It is called once, before
// open.
func (p *passive) limit(life time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = time.AfterFunc(attendAfter, func() { p.attend(life) })
}

// attend takes the owner's connection as it comes, until open or dismiss ask for it.
func (p *passive) attend(life time.Duration) {
	p.mu.Lock()
	if p.opened {
		p.mu.Unlock()
		return
	}
	done := make(chan struct{})
	p.arrived = done
	p.listener.setDeadline(time.Now().Add(life))
	p.mu.Unlock()
	conn, err := p.accept()
	p.close()
	var early *dataConn
	if err == nil && p.secure != nil {
		early, err = p.greet(conn, life)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conn, p.early, p.failure = conn, early, err
	close(done)
	switch {
	case p.opened:
	case err == nil:
		p.timer = time.AfterFunc(life, p.expire)
	case errors.Is(err, os.ErrDeadlineExceeded):
		p.opened, p.over = true, errPortUnused
	default:
		p.opened, p.over = true, err
	}
}

// expire ends the connection that was made and never used.
func (p *passive) expire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.opened {
		p.opened, p.over = true, errPortUnused
		leave(p.conn, p.early, 0, nil)
	}
}

// leave ends a connection that is not used; early is not nil when its handshake is done.
func leave(conn net.Conn, early *dataConn, wait time.Duration, secure func(net.Conn) *dataConn) {
	if early == nil && secure != nil {
		if early = secure(conn); early == nil {
			return
		}
	}
	if early != nil {
		early.dismiss(wait)
		return
	}
	linger(conn, wait)
}

// greet waits for the first bytes on conn and makes the handshake that they begin. It returns nil
// when the endpoint was asked for before there were any. With an error the connection is closed.
func (p *passive) greet(conn net.Conn, life time.Duration) (*dataConn, error) {
	p.mu.Lock()
	if p.opened {
		p.mu.Unlock()
		return nil, nil
	}
	p.silent = conn
	conn.SetReadDeadline(time.Now().Add(life))
	p.mu.Unlock()
	hello := make([]byte, 512)
	n, err := conn.Read(hello)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	p.mu.Lock()
	p.silent, p.cancel = nil, cancel
	opened := p.opened
	p.mu.Unlock()
	switch {
	case n > 0:
		return p.secure(ctx, conn, hello[:n])
	case opened:
		return nil, nil // whoever asked sees what is wrong with it
	}
	linger(conn, 0)
	return nil, err
}

// secured is the connection that open has returned when its handshake is done, else nil.
func (p *passive) secured() *dataConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.early
}

// ended says why nothing can come of the port any more, if that is so before it was used.
func (p *passive) ended() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.over
}

// accept returns the next connection of the owner and drops those of others.
func (p *passive) accept() (net.Conn, error) {
	for {
		conn, peer, err := p.listener.accept()
		if err != nil || p.allowed(peer) {
			return conn, err
		}
		conn.Close()
	}
}

// use takes the endpoint over from attend. first is false when that has happened before. arrived is
// not nil when attend is at work or done, and is closed then.
func (p *passive) use() (arrived chan struct{}, first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	first = !p.opened
	p.opened = true
	if p.silent != nil {
		p.silent.SetReadDeadline(time.Unix(1, 0))
	}
	if p.timer != nil {
		p.timer.Stop()
	}
	return p.arrived, first
}

func (p *passive) open(ctx context.Context) (net.Conn, error) {
	arrived, first := p.use()
	if !first {
		return nil, errEndpointUsed
	}
	defer p.close()
	stop := context.AfterFunc(ctx, p.close)
	defer stop()
	if ctx.Err() != nil {
		p.close()
	}
	p.listener.setDeadline(time.Now().Add(p.timeout))
	conn, err := p.await(arrived)
	switch {
	case err == nil:
		return conn, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, net.ErrClosed):
		return nil, errEndpointUsed
	}
	return nil, fmt.Errorf("waiting for the data connection: %w", err)
}

// await is what attend brings, or accept.
func (p *passive) await(arrived chan struct{}) (net.Conn, error) {
	if arrived == nil {
		return p.accept()
	}
	<-arrived
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conn, p.failure
}

func (p *passive) close() {
	p.listener.Close()
	p.mu.Lock()
	cancel := p.cancel
	p.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	if p.released != nil {
		p.released()
	}
}

func (p *passive) dismiss(wait time.Duration, secure func(net.Conn) *dataConn) {
	defer p.close()
	arrived, first := p.use()
	if !first {
		return
	}
	if arrived != nil {
		p.close()
		if _, err := p.await(arrived); err == nil {
			p.mu.Lock()
			defer p.mu.Unlock()
			leave(p.conn, p.early, wait, secure)
		}
		return
	}
	for range backlog + 1 {
		conn, peer, err := p.listener.acceptNow()
		if err != nil {
			return
		}
		if p.allowed(peer) {
			leave(conn, nil, wait, secure)
		} else {
			conn.Close()
		}
	}
}

// active connects to where the client listens (RFC 959, section 4.1.2, PORT; RFC 2428, section 2,
// EPRT).
type active struct {
	local   netip.Addr
	target  netip.AddrPort
	timeout time.Duration

	mu     sync.Mutex
	used   bool               // guarded by mu
	cancel context.CancelFunc // guarded by mu; ends a running open, nil before it
}

// newActive makes an endpoint that connects from local to target within timeout.
func newActive(local netip.Addr, target netip.AddrPort, timeout time.Duration) *active {
	return &active{local: local, target: target, timeout: timeout}
}

func (a *active) open(ctx context.Context) (net.Conn, error) {
	dialing, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	a.mu.Lock()
	used := a.used
	a.used, a.cancel = true, cancel
	a.mu.Unlock()
	if used {
		return nil, errEndpointUsed
	}
	d := net.Dialer{
		LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(a.local, 0)),
		KeepAlive: -1, // the stall timeout watches over transfers
	}
	conn, err := d.DialContext(dialing, "tcp", a.target.String())
	if err == nil {
		return conn, nil
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return nil, fmt.Errorf("opening the data connection: %w", err)
}

func (a *active) dismiss(time.Duration, func(net.Conn) *dataConn) { a.close() }

func (a *active) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.used = true
	if a.cancel != nil {
		a.cancel()
	}
}
