package ftp

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"ferry/ftp/internal/sock"
)

// A sharedPort listens for the data connections of its seats. The address of a connection says for
// whom it is; one for nobody is closed. Nobody accepts connections but those who wait for one: of
// the seats in accept one accepts for all, and the others wait to be told.
type sharedPort struct {
	addr     netip.AddrPort
	proxies  Proxies // connections of these begin with a header; may be nil
	registry registry

	mu        sync.Mutex
	listener  acceptor              // set by opened; used without mu only to accept
	seats     []*seat               // guarded by mu; none when it does not listen
	first     [1]*seat              // space for seats
	joins     uint64                // guarded by mu; counts the seats that there were
	accepting *seat                 // guarded by mu; accepts for all; nil if none does
	reading   map[net.Conn]struct{} // guarded by mu; those whose header is awaited
}

// acceptor is a *sock.Listener.
type acceptor interface {
	Accept() (net.Conn, netip.Addr, error)
	AcceptNow() (net.Conn, netip.Addr, error)
	SetAcceptDeadline(t time.Time)
	Close() error
}

// registry is told of what is free again.
type registry interface {
	forget(addr netip.AddrPort) // the port does not listen any more
	release(h portHolder)       // a seat of the holder
}

// A seat is the place of one session at a port. Its methods may be called concurrently.
type seat struct {
	port   *sharedPort
	holder portHolder
	client netip.Addr // connections of this address are for it; of any one if it is the zero Addr
	order  uint64     // joins when it was taken

	// Guarded by port.mu.
	by      time.Time     // when accept ends; the zero Time: never
	came    net.Conn      // a connection that nobody has taken
	waiting bool          // in accept, while another one accepts
	news    chan struct{} // wakes it then; nil before
	left    bool
}

// opened has the port listen and takes the first seat. The port is locked, and unlocked then.
func (p *sharedPort) opened(l acceptor, r portRequest) *seat {
	defer p.mu.Unlock()
	p.listener, p.seats = l, p.first[:0]
	return p.take(r)
}

// failed gives up a port that cannot listen. The port is locked, and unlocked then.
func (p *sharedPort) failed() {
	p.registry.forget(p.addr)
	p.mu.Unlock()
}

// take adds a seat. The caller holds mu.
func (p *sharedPort) take(r portRequest) *seat {
	p.joins++
	s := &seat{port: p, holder: r.holder, client: r.client, order: p.joins}
	p.seats = append(p.seats, s)
	return s
}

// join takes another seat; nil if one of that client, or of anybody, is there. closed: the port
// does not listen any more.
func (p *sharedPort) join(r portRequest) (s *seat, closed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.seats) == 0 {
		return nil, p.listener != nil
	}
	taken := func(s *seat) bool { return s.admits(r.client) }
	if slices.ContainsFunc(p.seats, taken) {
		return nil, false
	}
	for range sock.Backlog + 1 { // what has come before is not for the newcomer
		conn, peer, err := p.listener.AcceptNow()
		if err != nil {
			break
		}
		p.receive(conn, peer)
	}
	return p.take(r), false
}

// admits reports whether a connection of client is for the seat.
func (s *seat) admits(client netip.Addr) bool { return !s.client.IsValid() || s.client == client }

// receive hands a connection to its seat, at once or when its header has come. The caller holds mu.
func (p *sharedPort) receive(conn net.Conn, peer netip.Addr) {
	if p.proxies != nil && p.proxies.Include(peer) {
		p.await(conn)
		go p.readHeader(conn, peer, p.joins)
		return
	}
	p.deliver(conn, peer, p.joins)
}

// await remembers a connection whose header is awaited. The caller holds mu.
func (p *sharedPort) await(conn net.Conn) {
	if p.reading == nil {
		p.reading = map[net.Conn]struct{}{}
	}
	p.reading[conn] = struct{}{}
}

// readHeader reads the header of a connection that await was called for, and delivers it.
func (p *sharedPort) readHeader(conn net.Conn, peer netip.Addr, joins uint64) {
	client := clientOf(p.proxies, conn, peer)
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.reading, conn)
	p.deliver(conn, client, joins)
}

// deliver hands a connection to the seat that waits for it, if it is among the first joins, or
// closes it. The caller holds mu.
func (p *sharedPort) deliver(conn net.Conn, client netip.Addr, joins uint64) {
	i := slices.IndexFunc(p.seats, func(s *seat) bool {
		return s.came == nil && s.order <= joins && s.admits(client)
	})
	if i < 0 || !client.IsValid() {
		conn.Close()
		return
	}
	p.seats[i].came = conn
	p.seats[i].wake()
}

// wake has accept look again. The caller holds port.mu.
func (s *seat) wake() {
	switch {
	case s.port.accepting == s:
		s.port.listener.SetAcceptDeadline(time.Unix(1, 0))
	case s.waiting:
		select {
		case s.news <- struct{}{}:
		default:
		}
	}
}

// accept waits for the next connection of the seat's client. It accepts those of others for them.
func (s *seat) accept() (net.Conn, error) {
	p := s.port
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.pass()
	for {
		switch {
		case s.came != nil:
			return s.takeConn(), nil
		case s.left:
			return nil, net.ErrClosed
		case !s.by.IsZero() && !time.Now().Before(s.by):
			return nil, os.ErrDeadlineExceeded
		case p.accepting != nil:
			s.wait()
		default:
			if err := s.acceptOne(); err != nil {
				return nil, err
			}
		}
	}
}

// takeConn returns the connection that has come. The caller holds port.mu.
func (s *seat) takeConn() net.Conn {
	conn := s.came
	s.came = nil
	return conn
}

// acceptOne accepts a connection, for whomever it is. Without an error there may be none: accept
// has to look again. The caller holds port.mu, which is not held meanwhile.
func (s *seat) acceptOne() error {
	p := s.port
	p.accepting = s
	p.listener.SetAcceptDeadline(s.by)
	p.mu.Unlock()
	conn, peer, err := p.listener.Accept()
	p.mu.Lock()
	p.accepting = nil
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil
	case err != nil:
		return err
	}
	p.receive(conn, peer)
	return nil
}

// wait returns when there are news, or when accept ends. The caller holds port.mu, which is not
// held meanwhile.
func (s *seat) wait() {
	if s.news == nil {
		s.news = make(chan struct{}, 1)
	}
	var ends <-chan time.Time
	if !s.by.IsZero() {
		timer := time.NewTimer(time.Until(s.by))
		defer timer.Stop()
		ends = timer.C
	}
	s.waiting = true
	s.port.mu.Unlock()
	select {
	case <-s.news:
	case <-ends:
	}
	s.port.mu.Lock()
	s.waiting = false
}

// pass lets another one accept if nobody does. The caller holds mu.
func (p *sharedPort) pass() {
	if p.accepting != nil {
		return
	}
	if i := slices.IndexFunc(p.seats, func(s *seat) bool { return s.waiting }); i >= 0 {
		p.seats[i].wake()
	}
}

// acceptNow accepts the next connection of the seat's client that has come already. It fails if
// there is none. It waits for the headers of proxies.
func (s *seat) acceptNow() (net.Conn, error) {
	p := s.port
	p.mu.Lock()
	defer p.mu.Unlock()
	for s.came == nil {
		if s.left {
			return nil, net.ErrClosed
		}
		conn, peer, err := p.listener.AcceptNow()
		if err != nil {
			return nil, err
		}
		if p.proxies == nil || !p.proxies.Include(peer) {
			p.deliver(conn, peer, p.joins)
			continue
		}
		p.await(conn)
		joins := p.joins
		p.mu.Unlock()
		p.readHeader(conn, peer, joins)
		p.mu.Lock()
	}
	return s.takeConn(), nil
}

// setDeadline sets when accept ends.
func (s *seat) setDeadline(t time.Time) {
	s.port.mu.Lock()
	defer s.port.mu.Unlock()
	s.by = t
	s.wake()
}

// leave gives the seat up: accept ends. With the last one the port is closed. It may be called more
// than once.
func (s *seat) leave() {
	p := s.port
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.left {
		return
	}
	s.left = true
	i := slices.Index(p.seats, s)
	last := len(p.seats) - 1
	p.seats[i], p.seats[last] = p.seats[last], nil
	p.seats = p.seats[:last]
	if s.came != nil {
		s.takeConn().Close()
	}
	s.wake()
	p.registry.release(s.holder)
	if last == 0 {
		p.close()
	}
}

// close ends the port. The caller holds mu.
func (p *sharedPort) close() {
	p.listener.Close()
	for conn := range p.reading {
		conn.Close()
	}
	p.registry.forget(p.addr)
}
