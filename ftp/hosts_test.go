package ftp

import (
	"net/netip"
	"testing"
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
	enter := func(host netip.Addr) bool { return h.admit(host, 2, 0) == "" }
	leave := func(host netip.Addr) {
		h.countGuests(host, -1)
		h.release(host)
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
	if h.admit(a, 0, 1) == "" {
		t.Error("a second session that has not logged in is let in")
	}
	h.countGuests(a, -1)
	if h.admit(a, 0, 1) != "" {
		t.Error("a session that has logged in makes no room for one")
	}
	h.release(a)
	leave(a)
	leave(b)
	leave(netip.Addr{})
	if len(h.present) != 0 {
		t.Errorf("%v are left", h.present)
	}
}
