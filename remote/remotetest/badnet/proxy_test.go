package badnet_test

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"ferry/remote/remotetest/badnet"
)

// listen starts a server and returns its address. It ends with the test.
func listen(t *testing.T, serve func(c net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				serve(c)
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		wg.Wait()
	})
	return ln.Addr().String()
}

func echo(c net.Conn) { _, _ = io.Copy(c, c) }

// dial connects to p. The connection ends with the test, before the proxy does.
func dial(t *testing.T, p *badnet.Proxy) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn)
}

// say sends s and reads it back.
func say(c net.Conn, s string) error {
	if _, err := io.WriteString(c, s); err != nil {
		return err
	}
	b := make([]byte, len(s))
	_, err := io.ReadFull(c, b)
	if err == nil && string(b) != s {
		return errors.New("it comes back as " + string(b))
	}
	return err
}

func TestProxyPassesEverythingOn(t *testing.T) {
	p := badnet.NewProxy(t, listen(t, echo), badnet.ProxyOptions{})
	c := dial(t, p)
	content := make([]byte, 1<<20)
	for i := range content {
		content[i] = byte(i * i >> 8)
	}
	go func() {
		_, _ = c.Write(content)
		_ = c.CloseWrite()
	}()
	got, err := io.ReadAll(c)
	if err != nil || string(got) != string(content) {
		t.Errorf("%d bytes come back, %v", len(got), err)
	}
	if p.Connections() != 1 || p.Bytes(badnet.Up) != 1<<20 || p.Bytes(badnet.Down) != 1<<20 {
		t.Errorf("%d connections, %d bytes up, %d down", p.Connections(), p.Bytes(badnet.Up), p.Bytes(badnet.Down))
	}
}

// Sleeps take as long as they must, and on a busy machine much longer: the upper bounds are what a
// proxy would miss that adds its delays once too often.

func TestProxyAddsLatencyToEachRoundTrip(t *testing.T) {
	const latency = 20 * time.Millisecond
	p := badnet.NewProxy(t, listen(t, echo), badnet.ProxyOptions{Latency: latency})
	start := time.Now()
	c := dial(t, p)
	for trip := range 3 {
		if err := say(c, "ping"); err != nil {
			t.Fatal(err)
		}
		want := latency
		if trip == 0 {
			want = 2 * latency // with the handshake
		}
		if took := time.Since(start); took < want {
			t.Errorf("round trip %d took %v, want %v", trip, took, want)
		}
		start = time.Now()
	}
}

func TestProxyLetsWhatIsSentTogetherArriveTogether(t *testing.T) {
	const latency, messages = 100 * time.Millisecond, 200
	p := badnet.NewProxy(t, listen(t, echo), badnet.ProxyOptions{Latency: latency})
	c := dial(t, p)
	start := time.Now()
	for range messages {
		if _, err := c.Write([]byte("ping")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := io.ReadFull(c, make([]byte, messages*len("ping"))); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < latency || took > messages*latency/2 {
		t.Errorf("%d messages took %v", messages, took)
	}
}

func TestProxyLimitsBandwidth(t *testing.T) {
	const size = 100_000
	sink := listen(t, func(c net.Conn) {
		_, _ = io.CopyN(io.Discard, c, size)
		_, _ = c.Write([]byte{0})
	})
	for name, c := range map[string]struct {
		o     badnet.ProxyOptions
		conns int
		least time.Duration
	}{
		"one connection": {badnet.ProxyOptions{PerConn: 1_000_000}, 1, 100 * time.Millisecond},
		"each of two":    {badnet.ProxyOptions{PerConn: 1_000_000}, 2, 100 * time.Millisecond},
		"all together":   {badnet.ProxyOptions{PerConn: 10_000_000, Total: 1_000_000}, 3, 300 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			p := badnet.NewProxy(t, sink, c.o)
			start := time.Now()
			var wg sync.WaitGroup
			for range c.conns {
				conn := dial(t, p)
				wg.Go(func() {
					_, err := conn.Write(make([]byte, size))
					if err == nil {
						_, err = io.ReadFull(conn, make([]byte, 1))
					}
					if err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			// A little may be made up for at the beginning.
			if took := time.Since(start); took < c.least*8/10 || took > c.least*100 {
				t.Errorf("it took %v, want %v", took, c.least)
			}
		})
	}
}

func TestProxyCutsAConnection(t *testing.T) {
	type seen struct {
		n   int64
		err error
	}
	arrived := make(chan seen, 8)
	target := listen(t, func(c net.Conn) {
		n, err := io.Copy(io.Discard, c)
		arrived <- seen{n, err}
	})
	for name, c := range map[string]struct {
		cut  badnet.Cut
		want int64
	}{
		"after bytes":    {badnet.Cut{Direction: badnet.Up, After: 70_001}, 70_001},
		"at a fraction":  {badnet.Cut{Direction: badnet.Up, At: 0.9, Of: 200_000}, 180_000},
		"at once":        {badnet.Cut{Direction: badnet.Up}, 0},
		"one's own":      {badnet.Cut{Direction: badnet.Up, After: 5, Each: true}, 5},
		"all that there": {badnet.Cut{Direction: badnet.Up, After: 6, All: true}, 6},
	} {
		t.Run(name, func(t *testing.T) {
			p := badnet.NewProxy(t, target, badnet.ProxyOptions{})
			p.Cut(c.cut)
			conn := dial(t, p)
			if err := conn.SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			var err error
			for err == nil { // until the reset is known here, or the buffers on the way are full for too long
				_, err = conn.Write(make([]byte, 10_000))
			}
			if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
				t.Errorf("the client sees %v", err)
			}
			got := <-arrived
			if got.n != c.want || !errors.Is(got.err, syscall.ECONNRESET) {
				t.Errorf("the server sees %d bytes and %v, want %d", got.n, got.err, c.want)
			}
		})
	}
}

func TestProxyCutsAsOftenAsItIsTold(t *testing.T) {
	p := badnet.NewProxy(t, listen(t, echo), badnet.ProxyOptions{})
	p.Cut(badnet.Cut{Direction: badnet.Down, After: 10, Times: 2})
	for i, want := range []error{nil, syscall.ECONNRESET, nil, syscall.ECONNRESET, nil, nil, nil} {
		c := dial(t, p)
		if _, err := io.WriteString(c, "five."); err != nil {
			t.Fatal(err)
		}
		_ = c.CloseWrite() // it fails when the cut was faster
		got, err := io.ReadAll(c)
		if string(got) != "five." || !errors.Is(err, want) {
			t.Errorf("connection %d: %q, %v", i, got, err)
		}
	}
}

// works reports whether a new connection to p can be used. One that is refused may end before Dial
// returns.
func works(p *badnet.Proxy) bool {
	c, err := net.Dial("tcp", p.Addr)
	if err != nil {
		return false
	}
	defer c.Close()
	return say(c, "hello") == nil
}

func TestProxyResetsAndRefuses(t *testing.T) {
	p := badnet.NewProxy(t, listen(t, echo), badnet.ProxyOptions{})
	c := dial(t, p)
	if err := say(c, "hello"); err != nil {
		t.Fatal(err)
	}
	p.Reset()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("after Reset: %v", err)
	}
	p.Refuse(true)
	if works(p) {
		t.Error("a refused connection works")
	}
	p.Heal()
	if err := say(dial(t, p), "hello"); err != nil {
		t.Errorf("after Heal: %v", err)
	}
}

func TestProxyPassesAResetOn(t *testing.T) {
	seen := make(chan error, 1)
	p := badnet.NewProxy(t, listen(t, func(c net.Conn) {
		_, err := io.Copy(c, c)
		seen <- err
	}), badnet.ProxyOptions{})
	c := dial(t, p)
	if err := say(c, "hello"); err != nil {
		t.Fatal(err)
	}
	_ = c.SetLinger(0)
	c.Close()
	if err := <-seen; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the server sees %v", err)
	}
}
