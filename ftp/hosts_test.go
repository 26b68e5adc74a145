package ftp

import (
	"net/netip"
	"testing"
	"time"
)

func TestHostAddr(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.7":               "192.0.2.7",
		"2001:db8:1:2:3:4:5:6":    "2001:db8:1:2::",
		"fe80::1:2:3:4%eth0":      "fe80::",
		"::1":                     "::",
		"2001:db8:1:2:ffff::ffff": "2001:db8:1:2::",
	} {
		if got := hostAddr(netip.MustParseAddr(addr)); got != netip.MustParseAddr(want) {
			t.Errorf("%s is of %s, want %s", addr, got, want)
		}
	}
	if a := hostAddr(netip.Addr{}); a.IsValid() {
		t.Errorf("no address is of %s", a)
	}
}

func TestSessionsOfAHostAreCounted(t *testing.T) {
	var h hosts
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	enter := func(host netip.Addr) bool { return h.enter(host, 2, 0) == "" }
	leave := func(host netip.Addr) {
		h.countGuests(host, -1)
		h.leave(host)
	}
	for i, want := range []bool{true, true, false, false} {
		if got := enter(a); got != want {
			t.Errorf("session %d is let in: %v", i+1, got)
		}
	}
	if !enter(b) || !enter(netip.Addr{}) {
		t.Error("another host is not let in")
	}
	leave(a)
	if !enter(a) || enter(a) {
		t.Error("a session that ends makes room for one")
	}
	leave(a)
	if h.enter(a, 0, 1) == "" {
		t.Error("a second session that has not logged in is let in")
	}
	h.countGuests(a, -1)
	if h.enter(a, 0, 1) != "" {
		t.Error("a session that has logged in makes no room for one")
	}
	h.leave(a)
	leave(a)
	leave(b)
	leave(netip.Addr{})
	if len(h.present) != 0 {
		t.Errorf("%v are left", h.present)
	}
}

func TestLoginsOfASuspectTakeTurns(t *testing.T) {
	var h hosts
	now := time.Now()
	bad, good := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	delay := func(host netip.Addr, want time.Duration) {
		t.Helper()
		if d, ok := h.loginDelay(host, now); d != want || !ok {
			t.Errorf("the delay is %v, %v, want %v", d, ok, want)
		}
	}
	delay(bad, 0)
	h.failed(bad, now)
	delay(bad, failureDelay)
	delay(bad, 2*failureDelay)
	delay(good, 0)
	h.failed(bad, now)
	h.failed(bad, now)
	now = now.Add(time.Hour / 60)
	delay(bad, 0)
	delay(bad, 3*failureDelay)
	h.succeeded(bad)
	delay(bad, 0)

	for range 100 {
		h.failed(bad, now)
	}
	last := time.Duration(0)
	for {
		d, ok := h.loginDelay(bad, now)
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
	var h hosts
	now := time.Now()
	a := netip.MustParseAddr("10.0.0.0")
	for range 3 * maxSuspects {
		a = a.Next()
		h.failed(a, now)
		now = now.Add(time.Millisecond)
	}
	if n := len(h.suspects); n == 0 || n > maxSuspects {
		t.Errorf("%d suspects", n)
	}
	now = now.Add(suspectTime)
	for range maxSuspects {
		a = a.Next()
		h.failed(a, now)
	}
	if d, ok := h.loginDelay(a, now); d != failureDelay || !ok {
		t.Errorf("the last one has a delay of %v, %v", d, ok)
	}
	h.failed(netip.Addr{}, now)
}
