package ftp

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"
)

// loopbacks are the loopback addresses that this machine has.
func loopbacks(t testing.TB) []netip.Addr {
	t.Helper()
	found := []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	v6 := netip.IPv6Loopback()
	if l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(v6, 0))); err == nil {
		l.Close()
		found = append(found, v6)
	}
	return found
}

// anyone may connect.
func anyone() netip.Addr { return netip.Addr{} }

// listening is a passive endpoint on addr for client.
func listening(t testing.TB, addr, client netip.Addr, timeout time.Duration) *passive {
	t.Helper()
	p, err := listenPassive(addr, client, PortRange{}, timeout)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	return p
}

// listenPassive is a passive endpoint at one of r, as that of a server of its own.
func listenPassive(local, client netip.Addr, r PortRange, timeout time.Duration) (*passive, error) {
	seat, err := new(ports).listen(portRequest{local: local, client: client, ports: r})
	if err != nil {
		return nil, err
	}
	return &passive{seat: seat, timeout: timeout}, nil
}

func (p *passive) addr(local netip.Addr) string { return netip.AddrPortFrom(local, p.port()).String() }

func TestShuffledYieldsEveryPortOnce(t *testing.T) {
	for _, r := range []PortRange{{7, 7}, {1, 2}, {100, 106}, {49152, 65535}, {1, 65535}} {
		seen := make(map[uint16]bool)
		for port := range r.shuffled() {
			if seen[port] || port < r.First || port > r.Last {
				t.Fatalf("%v: port %d comes twice or is out of range", r, port)
			}
			seen[port] = true
		}
		if want := int(r.Last) - int(r.First) + 1; len(seen) != want {
			t.Errorf("%v: %d ports, want %d", r, len(seen), want)
		}
	}
	for port := range (PortRange{First: 9, Last: 8}).shuffled() {
		t.Errorf("an inverted range yields %d", port)
	}
}

func TestShuffledBeginsAnywhere(t *testing.T) {
	seen := make(map[uint16]bool)
	for range 50 {
		for port := range dynamicPorts.shuffled() {
			seen[port] = true
			break
		}
	}
	if len(seen) < 30 {
		t.Errorf("50 walks over 16384 ports began at only %d of them", len(seen))
	}
}

func TestPassiveConnects(t *testing.T) {
	for _, local := range loopbacks(t) {
		t.Run(local.String(), func(t *testing.T) {
			p := listening(t, local, local, time.Minute)
			client, err := net.Dial("tcp", p.addr(local))
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			conn, err := p.open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if conn.RemoteAddr().String() != client.LocalAddr().String() || conn.LocalAddr().String() != client.RemoteAddr().String() {
				t.Errorf("the ends are %v and %v, the client's %v and %v", conn.LocalAddr(), conn.RemoteAddr(), client.LocalAddr(), client.RemoteAddr())
			}
			if late, err := net.Dial("tcp", p.addr(local)); err == nil {
				late.Close()
				t.Error("the listener outlived the connection that it was for")
			}
			p.close()
			if _, err := conn.Write([]byte("x")); err != nil {
				t.Errorf("close of the endpoint has touched the connection: %v", err)
			}
			if _, err := p.open(t.Context()); !errors.Is(err, errEndpointUsed) {
				t.Errorf("a second open: %v", err)
			}
		})
	}
}

func TestPassiveWaitsForItsClient(t *testing.T) {
	local := loopbacks(t)[0]
	p := listening(t, local, anyone(), time.Minute)
	opened := make(chan error, 1)
	go func() {
		conn, err := p.open(t.Context())
		if err == nil {
			conn.Close()
		}
		opened <- err
	}()
	client, err := net.Dial("tcp", p.addr(local))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := <-opened; err != nil {
		t.Error(err)
	}
}

func TestPassivePortRange(t *testing.T) {
	local := loopbacks(t)[0]
	taken := listening(t, local, anyone(), time.Minute)
	single := PortRange{First: taken.port(), Last: taken.port()}
	if p, err := listenPassive(local, anyone(), single, time.Minute); !errors.Is(err, errPortsExhausted) {
		if err == nil {
			p.close()
		}
		t.Errorf("a range whose only port is in use: %v", err)
	}
	taken.close()
	p, err := listenPassive(local, anyone(), single, time.Minute)
	if err != nil {
		t.Fatalf("a range of one free port: %v", err)
	}
	if p.port() != single.First {
		t.Errorf("port %d, want %d", p.port(), single.First)
	}
	p.close()
	p.close()
	if _, err := p.open(t.Context()); !errors.Is(err, errEndpointUsed) {
		t.Errorf("open after close: %v", err)
	}
}

// freePair finds two free ports in a row.
func freePair(t *testing.T, local netip.Addr) PortRange {
	for range 100 {
		p := listening(t, local, anyone(), time.Minute)
		if p.port() == 65535 {
			continue
		}
		next := PortRange{First: p.port() + 1, Last: p.port() + 1}
		q, err := listenPassive(local, anyone(), next, time.Minute)
		p.close()
		if err == nil {
			q.close()
			return PortRange{First: p.port(), Last: q.port()}
		}
	}
	t.Fatal("no two free ports in a row")
	return PortRange{}
}

func TestPassivePortRangeIsInclusive(t *testing.T) {
	local := loopbacks(t)[0]
	pair := freePair(t, local)
	var got [3]error
	var open []*passive
	for i := range got {
		var p *passive
		if p, got[i] = listenPassive(local, anyone(), pair, time.Minute); got[i] == nil {
			defer p.close()
			open = append(open, p)
		}
	}
	if len(open) != 2 || !errors.Is(got[2], errPortsExhausted) {
		t.Errorf("%d of 2 ports could be used; errors %v", len(open), got)
	}
}

func TestPassivePortInTimeWaitIsUsable(t *testing.T) {
	local := loopbacks(t)[0]
	p := listening(t, local, anyone(), time.Minute)
	single := PortRange{First: p.port(), Last: p.port()}
	for range 3 {
		client, err := net.Dial("tcp", p.addr(local))
		if err != nil {
			t.Fatal(err)
		}
		conn, err := p.open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		conn.Close() // first, so that TIME-WAIT stays here
		if _, err := client.Read(make([]byte, 1)); err != io.EOF {
			t.Fatal(err)
		}
		client.Close()
		if p, err = listenPassive(local, anyone(), single, time.Minute); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.close)
	}
}

func TestPassiveTimesOut(t *testing.T) {
	local := loopbacks(t)[0]
	p := listening(t, local, anyone(), 20*time.Millisecond)
	if _, err := p.open(t.Context()); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("open: %v", err)
	}
	if late, err := net.Dial("tcp", p.addr(local)); err == nil {
		late.Close()
		t.Error("the listener outlived its timeout")
	}
}

func TestPassiveIsInterrupted(t *testing.T) {
	local := loopbacks(t)[0]
	cause := errors.New("cause")
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if _, err := listening(t, local, anyone(), time.Minute).open(ended); err != cause {
		t.Errorf("open with an ended context: %v", err)
	}
	for name, c := range map[string]struct {
		interrupt func(*passive, context.CancelCauseFunc)
		want      error
	}{
		"close":   {func(p *passive, _ context.CancelCauseFunc) { p.close() }, errEndpointUsed},
		"context": {func(_ *passive, end context.CancelCauseFunc) { end(cause) }, cause},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, end := context.WithCancelCause(t.Context())
			defer end(nil)
			p := listening(t, local, netip.MustParseAddr("192.0.2.1"), time.Minute)
			opened := make(chan error, 1)
			go func() {
				_, err := p.open(ctx)
				opened <- err
			}()
			// A stranger that is turned away shows that open waits.
			stranger, err := net.Dial("tcp", p.addr(local))
			if err != nil {
				t.Fatal(err)
			}
			defer stranger.Close()
			if _, err := stranger.Read(make([]byte, 1)); err == nil {
				t.Fatal("a stranger was given something")
			}
			c.interrupt(p, end)
			if err := <-opened; !errors.Is(err, c.want) {
				t.Errorf("open: %v, want %v", err, c.want)
			}
		})
	}
}

func TestPassiveDropsStrangers(t *testing.T) {
	local := loopbacks(t)[0]
	owner := netip.MustParseAddr("127.0.0.2")
	from := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(owner, 0))}
	p := listening(t, local, owner, time.Minute)
	stranger, err := net.Dial("tcp", p.addr(local))
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	client, err := from.Dial("tcp", p.addr(local))
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Skipf("no second loopback address here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	conn, err := p.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if conn.RemoteAddr().String() != client.LocalAddr().String() {
		t.Errorf("connected with %v, want %v", conn.RemoteAddr(), client.LocalAddr())
	}
	if _, err := stranger.Read(make([]byte, 1)); err == nil {
		t.Error("the stranger was given something")
	}
}

func TestActiveConnects(t *testing.T) {
	for _, local := range loopbacks(t) {
		t.Run(local.String(), func(t *testing.T) {
			l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(local, 0)))
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			a := newActive(local, l.Addr().(*net.TCPAddr).AddrPort(), time.Minute)
			conn, err := a.open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if from := addrPort(conn.LocalAddr()).Addr(); from != local {
				t.Errorf("connected from %v, want %v", from, local)
			}
			a.close()
			a.close()
			if _, err := conn.Write([]byte("x")); err != nil {
				t.Errorf("close of the endpoint has touched the connection: %v", err)
			}
			if _, err := a.open(t.Context()); !errors.Is(err, errEndpointUsed) {
				t.Errorf("a second open: %v", err)
			}
		})
	}
}

func TestActiveFails(t *testing.T) {
	local := loopbacks(t)[0]
	free := listening(t, local, anyone(), time.Minute)
	nobody := netip.AddrPortFrom(local, free.port())
	free.close()
	if _, err := newActive(local, nobody, time.Minute).open(t.Context()); err == nil {
		t.Error("connected with nobody")
	}
	closed := newActive(local, nobody, time.Minute)
	closed.close()
	if _, err := closed.open(t.Context()); !errors.Is(err, errEndpointUsed) {
		t.Errorf("open after close: %v", err)
	}
	cause := errors.New("cause")
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if _, err := newActive(local, nobody, time.Minute).open(ended); err != cause {
		t.Errorf("open with an ended context: %v", err)
	}
}
