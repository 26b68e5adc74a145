package ftp

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

func TestLoginsOfASuspectTakeTurns(t *testing.T) {
	var h Throttle
	now := time.Now()
	bad, good := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	delay := func(host netip.Addr, want time.Duration) {
		t.Helper()
		if d, ok := h.Delay(host, now); d != want || !ok {
			t.Errorf("the delay is %v, %v, want %v", d, ok, want)
		}
	}
	delay(bad, 0)
	h.Failed(bad, now)
	delay(bad, failureDelay)
	delay(bad, 2*failureDelay)
	delay(good, 0)
	h.Failed(bad, now)
	h.Failed(bad, now)
	now = now.Add(time.Hour / 60)
	delay(bad, 0)
	delay(bad, 3*failureDelay)
	h.Succeeded(bad)
	delay(bad, 0)

	for range 100 {
		h.Failed(bad, now)
	}
	last := time.Duration(0)
	for {
		d, ok := h.Delay(bad, now)
		if !ok {
			break
		}
		if last > 0 && d-last != maxFailures*failureDelay || d > maxLoginDelay {
			t.Fatalf("the delay is %v after %v", d, last)
		}
		last = d
	}
	if last < maxLoginDelay-maxFailures*failureDelay {
		t.Errorf("after %v there are too many", last)
	}
	now = now.Add(suspectTime + time.Second)
	delay(bad, 0)
	delay(bad, 0)
}

func TestSuspectsTakeLittleRoom(t *testing.T) {
	var h Throttle
	now := time.Now()
	a := netip.MustParseAddr("10.0.0.0")
	for range 3 * maxSuspects {
		a = a.Next()
		h.Failed(a, now)
		now = now.Add(time.Millisecond)
	}
	if n := len(h.suspects); n == 0 || n > maxSuspects {
		t.Errorf("%d suspects", n)
	}
	now = now.Add(suspectTime)
	for range maxSuspects {
		a = a.Next()
		h.Failed(a, now)
	}
	if d, ok := h.Delay(a, now); d != failureDelay || !ok {
		t.Errorf("the last one has a delay of %v, %v", d, ok)
	}
	h.Failed(netip.Addr{}, now)
}

// Of the logins of one address few are checked at once, and nothing is kept of them afterwards.
func TestLoginsThatAreCheckedAtOnceAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h Throttle
		a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
		var ends []func()
		for range checksAtOnce {
			ends = append(ends, h.Turn(t.Context(), a))
		}
		h.Turn(t.Context(), b)() // another address does not wait
		ctx, cancel := context.WithCancel(t.Context())
		over := make(chan bool)
		go func() { over <- h.Turn(ctx, a) == nil }()
		synctest.Wait()
		cancel()
		if !<-over {
			t.Error("a login too many is checked")
		}
		go func() {
			end := h.Turn(t.Context(), a)
			end()
			over <- true
		}()
		synctest.Wait()
		for _, end := range ends {
			end()
			end()
		}
		<-over
		if n := len(h.turns); n != 0 {
			t.Errorf("the turns of %d addresses are kept", n)
		}
	})
}
