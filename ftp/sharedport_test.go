package ftp

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var errNone = errors.New("there is none")

// fakePort is a listener whose connections are made by a test.
type fakePort struct {
	mu      sync.Mutex
	queue   []fakeConn
	changed chan struct{} // closed at each change
	by      time.Time
	closed  bool
}

// fakeConn notes that it was closed.
type fakeConn struct {
	net.Conn
	peer   netip.Addr
	header chan netip.Addr // gives the client that a proxy speaks for
	gone   chan struct{}
	once   *sync.Once
}

func (c fakeConn) Close() error                    { c.once.Do(func() { close(c.gone) }); return nil }
func (c fakeConn) SetReadDeadline(time.Time) error { return nil }

func (c fakeConn) closed() bool {
	select {
	case <-c.gone:
		return true
	default:
		return false
	}
}

// change wakes Accept. The caller holds mu.
func (f *fakePort) change() {
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fakePort) come(peer string) fakeConn {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := fakeConn{
		peer: netip.MustParseAddr(peer), header: make(chan netip.Addr), gone: make(chan struct{}), once: new(sync.Once),
	}
	f.queue = append(f.queue, c)
	f.change()
	return c
}

func (f *fakePort) AcceptNow() (net.Conn, netip.Addr, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.queue) == 0 {
		return nil, netip.Addr{}, errNone
	}
	c := f.queue[0]
	f.queue = f.queue[1:]
	return c, c.peer, nil
}

func (f *fakePort) Accept() (net.Conn, netip.Addr, error) {
	for {
		if conn, peer, err := f.AcceptNow(); err == nil {
			return conn, peer, nil
		}
		f.mu.Lock()
		changed, by, closed := f.changed, f.by, f.closed
		f.mu.Unlock()
		var ends <-chan time.Time
		if !by.IsZero() {
			ends = time.After(time.Until(by))
		}
		if closed {
			return nil, netip.Addr{}, net.ErrClosed
		}
		select {
		case <-changed:
		case <-ends:
			return nil, netip.Addr{}, os.ErrDeadlineExceeded
		}
	}
}

func (f *fakePort) SetAcceptDeadline(t time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.by = t
	f.change()
}

func (f *fakePort) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	f.change()
	return nil
}

// fakeProxies read from connections what a test says.
type fakeProxies struct{ peer netip.Addr }

func (p fakeProxies) Include(peer netip.Addr) bool { return peer == p.peer }

func (p fakeProxies) ReadHeader(r io.Reader) (client, server netip.AddrPort, err error) {
	c := r.(fakeConn)
	select {
	case a := <-c.header:
		return netip.AddrPortFrom(a, 1), server, nil
	case <-c.gone:
		return client, server, net.ErrClosed
	}
}

// rig is a port with a seat for each client.
type rig struct {
	t    *testing.T
	fake *fakePort
	all  *ports
	port *sharedPort
}

func newRig(t *testing.T, proxies Proxies, clients ...string) (*rig, []*seat) {
	r := &rig{t: t, fake: &fakePort{changed: make(chan struct{})}, all: new(ports)}
	r.port = r.all.register(netip.MustParseAddrPort("192.0.2.1:30000"), proxies)
	var seats []*seat
	for i, client := range clients {
		if i == 0 {
			seats = append(seats, r.port.opened(r.fake, r.request(client)))
		} else {
			seats = append(seats, r.join(client))
		}
	}
	return r, seats
}

func (r *rig) request(client string) portRequest {
	h := portHolder{client, netip.Addr{}}
	r.all.reserve(h, 1)
	return portRequest{holder: h, client: netip.MustParseAddr(client)}
}

func (r *rig) join(client string) *seat {
	r.t.Helper()
	s, _ := r.port.join(r.request(client))
	if s == nil {
		r.t.Fatal("no seat for", client)
	}
	return s
}

// accepted is what accept has given.
type accepted struct {
	conn net.Conn
	err  error
	took time.Duration
}

func accepting(s *seat) <-chan accepted {
	got := make(chan accepted, 1)
	go func() {
		began := time.Now()
		conn, err := s.accept()
		got <- accepted{conn, err, time.Since(began)}
	}()
	synctest.Wait()
	return got
}

// end has all seats leave, and checks that nothing is left.
func (r *rig) end(seats ...*seat) {
	r.t.Helper()
	for _, s := range seats {
		s.leave()
		s.leave()
	}
	if !r.fake.closed || len(r.all.open) > 0 || len(r.all.held) > 0 {
		r.t.Errorf("closed %v, ports %v, held %v", r.fake.closed, r.all.open, r.all.held)
	}
	if s, closed := r.port.join(portRequest{client: netip.MustParseAddr("192.0.2.250")}); s != nil || !closed {
		r.t.Errorf("a seat at a closed port: %v %v", s, closed)
	}
}

const (
	ann, bob, cid, eve = "192.0.2.11", "192.0.2.12", "192.0.2.13", "192.0.2.66"
)

// One accepts for all, whoever it is.
func TestOneAcceptsForAll(t *testing.T) {
	for _, order := range [][]string{{ann, bob, cid}, {cid, bob, ann}, {bob, eve, ann, eve, cid}} {
		synctest.Test(t, func(t *testing.T) {
			names := []string{ann, bob, cid}
			r, seats := newRig(t, nil, names...)
			var got []<-chan accepted
			for _, s := range seats {
				got = append(got, accepting(s))
			}
			for _, name := range order {
				conn := r.fake.come(name)
				synctest.Wait()
				i := slices.Index(names, name)
				if i < 0 {
					if !conn.closed() {
						t.Errorf("%s is not turned away", name)
					}
					continue
				}
				select {
				case a := <-got[i]:
					if a.conn != conn || a.err != nil || conn.closed() {
						t.Errorf("%s got %v", name, a)
					}
				default:
					t.Errorf("%s got nothing", name)
				}
				seats[i].leave()
			}
			r.end(seats...)
		})
	}
}

// Each has its own deadline, which may change, and leaves by itself.
func TestDeadlinesOfSeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, seats := newRig(t, nil, ann, bob, cid)
		var got []<-chan accepted
		for i, s := range seats {
			s.setDeadline(time.Now().Add(time.Duration(i+1) * time.Second))
			got = append(got, accepting(s))
		}
		seats[2].setDeadline(time.Now().Add(time.Minute)) // it waits for the one that accepts
		for i, want := range []time.Duration{time.Second, 2 * time.Second} {
			if a := <-got[i]; !errors.Is(a.err, os.ErrDeadlineExceeded) || a.took != want {
				t.Errorf("seat %d: %v", i, a)
			}
			synctest.Wait()
		}
		seats[2].setDeadline(time.Now().Add(time.Hour)) // it accepts
		time.Sleep(30 * time.Minute)
		conn := r.fake.come(cid)
		if a := <-got[2]; a.conn != conn || a.took != 2*time.Second+30*time.Minute {
			t.Errorf("%v", a)
		}
		for i, s := range seats[:2] {
			s.setDeadline(time.Time{})
			got[i] = accepting(s)
		}
		for i, s := range seats[:2] {
			s.leave()
			if a := <-got[i]; !errors.Is(a.err, net.ErrClosed) || a.took != 0 {
				t.Errorf("seat %d: %v", i, a)
			}
			if i == 0 {
				second := r.fake.come(bob)
				if a := <-got[1]; a.conn != second {
					t.Errorf("%v", a)
				}
				got[1] = accepting(seats[1])
			}
		}
		r.end(seats...)
	})
}

// What came before a session is not for it, though its address is the same.
func TestConnectionsOfTheOneBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		proxy := netip.MustParseAddr("198.51.100.1")
		r, seats := newRig(t, fakeProxies{proxy}, ann, bob)
		seats[0].leave()
		stale, slow := r.fake.come(ann), r.fake.come(proxy.String())
		again := r.join(ann)
		slow.header <- netip.MustParseAddr(ann)
		synctest.Wait()
		if !stale.closed() || !slow.closed() {
			t.Error("a connection of the session before is kept")
		}
		if conn, err := again.acceptNow(); err == nil {
			t.Errorf("the new session got %v", conn)
		}
		fresh := r.fake.come(ann)
		if conn, err := again.acceptNow(); conn != fresh {
			t.Errorf("%v %v", conn, err)
		}
		if s, closed := r.port.join(r.request(ann)); s != nil || closed {
			t.Error("two seats for one address")
		}
		r.all.release(portHolder{user: ann})
		r.end(seats[1], again)
	})
}

// A header that is late holds up nobody else, and ends with the port.
func TestSlowHeadersHoldUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		proxy := netip.MustParseAddr("198.51.100.1")
		r, seats := newRig(t, fakeProxies{proxy}, ann, bob)
		forAnn, forBob := accepting(seats[0]), accepting(seats[1])
		silent, first, second := r.fake.come(proxy.String()), r.fake.come(proxy.String()), r.fake.come(proxy.String())
		synctest.Wait()
		second.header <- netip.MustParseAddr(bob)
		if a := <-forBob; a.conn != second {
			t.Errorf("bob got %v", a)
		}
		first.header <- netip.MustParseAddr(ann)
		if a := <-forAnn; a.conn != first {
			t.Errorf("ann got %v", a)
		}
		late := r.fake.come(proxy.String())
		go func() {
			time.Sleep(time.Second)
			late.header <- netip.MustParseAddr(bob)
		}()
		if conn, err := seats[1].acceptNow(); conn != late {
			t.Errorf("%v %v", conn, err)
		}
		r.end(seats...)
		synctest.Wait()
		if !silent.closed() {
			t.Error("a header is awaited for ever")
		}
	})
}
