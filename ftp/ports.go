package ftp

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"

	"ferry/ftp/internal/sock"
)

// ports are the passive ports of a server. The zero value is ready.
//
// A session has a port of its own while the range has free ones. Then ports are shared, by sessions
// whose clients have different addresses: the address of a connection says which session it is for.
type ports struct {
	mu   sync.Mutex
	held map[portHolder]int             // guarded by mu; how many each one uses
	open map[netip.AddrPort]*sharedPort // guarded by mu; those that listen or are about to
}

// portHolder is a user at one address. Many people may share a name, such as anonymous.
type portHolder struct {
	user string
	host netip.Addr
}

// portRequest is what a session wants to listen for.
type portRequest struct {
	holder  portHolder
	local   netip.Addr // of the server
	client  netip.Addr // whose connections are awaited; the zero Addr: anybody's, at a port of one's own
	ports   PortRange
	proxies Proxies // connections of these begin with a header; may be nil
}

// listen returns a seat at a random port: at one that nobody uses, else at one that is used for
// other clients. A holder may use three quarters of the ports. The errors are errTooManyPorts,
// errPortsExhausted, and those of the system.
func (p *ports) listen(r portRequest) (*seat, error) {
	r.ports = r.ports.usable()
	if !p.reserve(r.holder, threeQuarters(r.ports.size())) {
		return nil, errTooManyPorts
	}
	for {
		s, err := p.listenAlone(r)
		if !errors.Is(err, errPortsExhausted) {
			return s, err
		}
		s, again := p.joinOthers(r)
		if s != nil {
			return s, nil
		}
		if !again {
			p.release(r.holder)
			return nil, errPortsExhausted
		}
	}
}

// inUse returns how many numbers of ports are used.
func (p *ports) inUse() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	numbers := make(map[uint16]bool, len(p.open))
	for at := range p.open {
		numbers[at.Port()] = true
	}
	return len(numbers)
}

// reserve counts a port of h, unless h has reached its limit.
func (p *ports) reserve(h portHolder, limit int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held[h] >= limit {
		return false
	}
	if p.held == nil {
		p.held = map[portHolder]int{}
	}
	p.held[h]++
	return true
}

// release undoes a reserve.
func (p *ports) release(h portHolder) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held[h]--; p.held[h] <= 0 {
		delete(p.held, h)
	}
}

// listenAlone returns a seat at a port that nobody uses.
func (p *ports) listenAlone(r portRequest) (*seat, error) {
	for number := range r.ports.shuffled() {
		addr := netip.AddrPortFrom(r.local, number)
		shared := p.register(addr, r.proxies)
		if shared == nil {
			continue
		}
		l, err := sock.Listen(addr)
		switch {
		case err == nil:
			return shared.opened(l, r), nil
		case !errors.Is(err, sock.ErrPortTaken):
			shared.failed()
			p.release(r.holder)
			return nil, fmt.Errorf("listening for a data connection: %w", err)
		}
		shared.failed()
	}
	return nil, errPortsExhausted
}

// register returns a new port for addr, locked, or nil if there is one.
func (p *ports) register(addr netip.AddrPort, proxies Proxies) *sharedPort {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open[addr] != nil {
		return nil
	}
	shared := &sharedPort{addr: addr, proxies: proxies, registry: p}
	shared.mu.Lock()
	if p.open == nil {
		p.open = map[netip.AddrPort]*sharedPort{}
	}
	p.open[addr] = shared
	return shared
}

// forget implements registry.
func (p *ports) forget(addr netip.AddrPort) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, addr)
}

// joinOthers returns a seat at a port that is used for other clients; nil if there is none. again:
// a port was closed meanwhile, and may be free.
func (p *ports) joinOthers(r portRequest) (s *seat, again bool) {
	if !r.client.IsValid() {
		return nil, false
	}
	for number := range r.ports.shuffled() {
		p.mu.Lock()
		shared := p.open[netip.AddrPortFrom(r.local, number)]
		p.mu.Unlock()
		if shared == nil {
			continue // of another program
		}
		s, closed := shared.join(r)
		if s != nil {
			return s, false
		}
		again = again || closed
	}
	return nil, again
}
