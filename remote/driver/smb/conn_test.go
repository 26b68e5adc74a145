package smb

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
	"ferry/remote/remotetest/badnet"
	"ferry/remote/remotetest/servers/samba"
)

// A server that accepts and says nothing holds nobody longer than its context.
func TestASilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r := openRemote(t, "files", Options{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, User: "bob"})
	defer r.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := r.Stat(ctx, "."); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

// A connection on which no answer comes does not hold calls that read.
func TestAConnectionThatFallsSilent(t *testing.T) {
	s := samba.Start(t)
	p := badnet.NewProxy(t, s.Addr, badnet.ProxyOptions{})
	r, _ := fresh(t, s, options(t, s, p.Addr))
	defer r.Close()
	put(t, r, "f", "content")
	p.Hold(badnet.Down, badnet.Up, 1)
	ended := func() context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		t.Cleanup(cancel)
		return ctx
	}
	_, statErr := r.Stat(ended(), "f")
	_, openErr := r.Open(ended(), "f", 0, -1)
	var listErr error
	for _, err := range r.List(ended(), ".") {
		listErr = err
	}
	for call, err := range map[string]error{"Stat": statErr, "Open": openErr, "List": listErr} {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", call, err)
		}
	}
	p.Release(badnet.Down)
	if got := content(t, r, "f"); got != "content" {
		t.Errorf("%q", got)
	}
}

func TestAnIdleConnectionIsClosedAndMadeAgain(t *testing.T) {
	s := samba.Start(t)
	o := options(t, s, s.Addr)
	o.IdleTimeout = time.Millisecond
	r, _ := fresh(t, s, o)
	defer r.Close()
	for range 3 {
		if _, err := r.Stat(t.Context(), "."); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(time.Minute); r.pool.Open() > 0; runtime.Gosched() {
			if time.Now().After(deadline) {
				t.Fatal("the connection is not closed")
			}
		}
	}
}

func TestCloseLeavesNothingBehind(t *testing.T) {
	s := samba.Start(t)
	r, _ := fresh(t, s, options(t, s, s.Addr))
	if _, err := r.Put(t.Context(), "f", bytes.NewReader(long(8<<20)), remote.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	f := beginReading(t, r, "f")
	st, err := r.Stage(t.Context(), "g", remote.StageOptions{Owner: "o"})
	if err != nil {
		t.Fatal(err)
	}
	for range r.List(t.Context(), ".") {
		r.Close()
	}
	f.Close()
	if err := st.Abort(); err == nil {
		t.Error("Abort has reached the server")
	}
	for deadline := time.Now().Add(time.Minute); ; runtime.Gosched() {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		if !bytes.Contains(stacks, []byte("go-smb2")) && !bytes.Contains(stacks, []byte("conns.")) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("goroutines are left:\n%s", stacks)
		}
	}
}

// Whatever a server answers, calls fail or succeed, and end.
func TestAnswersThatMakeNoSense(t *testing.T) {
	s := samba.Start(t)
	good, _ := fresh(t, s, options(t, s, s.Addr))
	defer good.Close()
	for i := range 20 {
		put(t, good, "a file of some name "+strconv.Itoa(i), "content")
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 25 {
		addr := spoiling(t, s.Addr, random.IntN(6000), byte(1+random.IntN(255)))
		r, _ := fresh(t, s, options(t, s, addr))
		r.root = good.root
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		begin := time.Now()
		for range r.List(ctx, ".") {
		}
		if f, err := r.Open(ctx, "a file of some name 1", 0, -1); err == nil {
			_, _ = io.Copy(io.Discard, f)
			f.Close()
		}
		cancel()
		if d := time.Since(begin); d > 10*time.Second {
			t.Errorf("it takes %v", d)
		}
		r.Close()
	}
}

// spoiling relays one connection after the other to a server, and changes one byte of what comes
// back on each.
func spoiling(t *testing.T, to string, at int, by byte) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to)
			if err != nil {
				client.Close()
				continue
			}
			all.Go(func() {
				_, _ = io.Copy(server, client)
				server.Close()
			})
			all.Go(func() {
				defer client.Close()
				left := at
				b := make([]byte, 64<<10)
				for {
					n, err := server.Read(b)
					if left >= 0 && left < n {
						b[left] ^= by
					}
					left -= n
					if _, writeErr := client.Write(b[:n]); err != nil || writeErr != nil {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	return l.Addr().String()
}

// What does not leave makes a change fail, and holds others no longer than that takes.
func TestAGateIsNotShutForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		g.pass()
		begin := time.Now()
		passed := make(chan time.Duration)
		go func() {
			time.Sleep(time.Second)
			g.pass()
			passed <- time.Since(begin)
			g.leave()
		}()
		err := g.shutFor(t.Context(), func() error {
			t.Error("it is called while somebody is inside")
			return nil
		})
		if !errors.Is(err, errInUse) || time.Since(begin) != aloneTime {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		if d := <-passed; d != aloneTime {
			t.Errorf("somebody else has passed after %v", d)
		}
		g.leave()
		called := false
		if err := g.shutFor(t.Context(), func() error { called = true; return nil }); err != nil || !called {
			t.Errorf("%v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := g.shutFor(ctx, func() error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		g.pass()
		g.leave()
	})
}
