package link

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// start runs a link in front of a server that handles each connection by serve.
func start(t *testing.T, o Options, serve func(net.Conn)) *Link {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l, err := Listen(ln.Addr().String(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		if err := l.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	all.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				serve(c)
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		cancel()
		all.Wait()
	})
	return l
}

func dial(t *testing.T, l *Link) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", l.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn)
}

// echo sends everything back when the other side has ended.
func echo(c net.Conn) {
	all, _ := io.ReadAll(c)
	_, _ = c.Write(all)
}

func pattern(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{}).Read(b)
	return b
}

// roundTrip sends content, ends, and returns what came back.
func roundTrip(t *testing.T, c *net.TCPConn, content []byte) []byte {
	t.Helper()
	sent := make(chan error, 1)
	go func() {
		_, err := c.Write(content)
		if err == nil {
			err = c.CloseWrite()
		}
		sent <- err
	}()
	got, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	return got
}

func TestBytesAndTheirEndArriveBothWays(t *testing.T) {
	content := pattern(9 << 20)
	l := start(t, Options{Latency: time.Millisecond, PerConn: 400e6, Total: 800e6}, echo)
	var all sync.WaitGroup
	for range 3 {
		c := dial(t, l)
		all.Go(func() {
			if got := roundTrip(t, c, content); !bytes.Equal(got, content) {
				t.Errorf("%d of %d bytes came back, or others", len(got), len(content))
			}
		})
	}
	all.Wait()
	if got, want := l.Down(), int64(3*len(content)); got != want {
		t.Errorf("counted %d bytes of %d", got, want)
	}
}

func TestARoundTripTakesItsTime(t *testing.T) {
	const latency = 40 * time.Millisecond
	l := start(t, Options{Latency: latency}, func(c net.Conn) { _, _ = io.Copy(c, c) })
	began := time.Now()
	c := dial(t, l)
	for trips := range 3 {
		if _, err := c.Write([]byte{1}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		// The first one has the connection's own before it.
		if took, least := time.Since(began), time.Duration(trips+2)*latency; took < least {
			t.Errorf("round trip %d: back after %v, not %v", trips+1, took, least)
		}
	}
}

func TestBytesTakeTheirTime(t *testing.T) {
	const size = 2 << 20
	for name, o := range map[string]Options{
		"of one connection": {PerConn: 20e6},
		"of all":            {Total: 40e6},
	} {
		t.Run(name, func(t *testing.T) {
			l := start(t, o, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
			began := time.Now()
			var all sync.WaitGroup
			for range 2 {
				c := dial(t, l)
				all.Go(func() {
					roundTrip(t, c, pattern(size))
				})
			}
			all.Wait()
			// 2 MiB at 20 MB/s, or twice that at 40 MB/s, but for the slack.
			if took, least := time.Since(began), 104*time.Millisecond-2*slack; took < least {
				t.Errorf("took %v, not %v", took, least)
			}
		})
	}
}

func TestABreakGoesThrough(t *testing.T) {
	l := start(t, Options{Latency: time.Millisecond}, func(c net.Conn) {
		_, _ = io.ReadFull(c, make([]byte, 1))
		_ = c.(*net.TCPConn).SetLinger(0) // a reset
	})
	c := dial(t, l)
	if _, err := c.Write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("read %d bytes, %v", n, err)
	}
}

func TestASenderIsHeldUpByASlowReceiver(t *testing.T) {
	release := make(chan struct{})
	l := start(t, Options{}, func(c net.Conn) {
		<-release
		_, _ = io.Copy(io.Discard, c)
	})
	c := dial(t, l)
	const size = 64 << 20
	done := make(chan error, 1)
	go func() {
		_, err := c.Write(make([]byte, size))
		done <- err
	}()
	select {
	case err := <-done:
		t.Errorf("%d bytes went to a receiver that takes none: %v", size, err)
		close(release)
	case <-time.After(200 * time.Millisecond):
		close(release)
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestTheEndOfRunBreaksConnections(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	l, err := Listen(ln.Addr().String(), Options{Latency: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	c := dial(t, l)
	server, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	cancel()
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("a connection outlives the link")
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
