package main

import (
	"errors"
	"io"
	"net"
	"reflect"
	"testing"
	"testing/synctest"
	"time"
)

// tcpPair returns both ends of a connection, ours with a small receive buffer.
func tcpPair(t *testing.T) (sock, net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	ours, err := dialSock(ln.Addr().(*net.TCPAddr).AddrPort(), 32<<10)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close() })
	theirs, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { theirs.Close() })
	return ours, theirs
}

func TestTakeNowDoesNotWait(t *testing.T) {
	ours, theirs := tcpPair(t)
	if n, err := ours.takeNow(make([]byte, 10)); n != 0 || err != nil {
		t.Errorf("of nothing: %d, %v", n, err)
	}
	if _, err := theirs.Write(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	got := 0
	var err error
	until(t.Context(), 10*time.Second, func() bool {
		var n int
		n, err = ours.takeNow(make([]byte, 60))
		got += n
		return err != nil
	})
	if got != 100 || !errors.Is(err, io.EOF) {
		t.Errorf("%d bytes, %v; want 100 and the end", got, err)
	}
}

func TestTakeWaitsForAll(t *testing.T) {
	ours, theirs := tcpPair(t)
	done := make(chan error, 1)
	go func() {
		var err error
		for range 10 {
			_, e := theirs.Write(make([]byte, 50_000))
			err = errors.Join(err, e)
		}
		done <- errors.Join(err, theirs.Close())
	}()
	for _, want := range []int{300_000, 200_000, 0} {
		if n, err := ours.take(make([]byte, 300_000)); n != want || err != nil {
			t.Errorf("%d bytes, %v; want %d", n, err, want)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestTakeOfAllSharesOut(t *testing.T) {
	var ours []sock
	for range 3 {
		mine, theirs := tcpPair(t)
		if _, err := theirs.Write(make([]byte, 20_000)); err != nil {
			t.Fatal(err)
		}
		ours = append(ours, mine)
	}
	if got, err := takeOfAll(ours, 60_000); got != 60_000 || err != nil {
		t.Errorf("%d bytes, %v", got, err)
	}
}

func TestPeriodicallyTakesStepsInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order string
		named := func(name string, takes time.Duration) step {
			return step{name, func(*client) error { order += name; time.Sleep(takes); return nil }}
		}
		steps := []step{named("a", time.Millisecond), named("b", 3*busyPeriod), named("c", time.Millisecond)}
		taken, err := periodically(nil, steps, 0, time.Now().Add(9*busyPeriod/2))
		want := map[string][]float64{"a": {1, 102}, "b": {300, 300}, "c": {201}}
		if err != nil || order != "abcab" || !reflect.DeepEqual(taken, want) {
			t.Errorf("order %q, %v, %v; want %v", order, err, taken, want)
		}
	})
}
