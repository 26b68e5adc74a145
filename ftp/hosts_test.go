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
	enter := func(host netip.Addr) bool { return h.admit(host, 2, 0, nil) == "" }
	leave := func(host netip.Addr) {
		h.countGuests(host, -1)
		h.release(host, 2, nil)
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
	if h.admit(a, 0, 1, nil) == "" {
		t.Error("a second session that has not logged in is let in")
	}
	h.countGuests(a, -1)
	if h.admit(a, 0, 1, nil) != "" {
		t.Error("a session that has logged in makes no room for one")
	}
	h.release(a, 0, nil)
	leave(a)
	leave(b)
	leave(netip.Addr{})
	if len(h.present) != 0 {
		t.Errorf("%v are left", h.present)
	}
}

// elsewhere is what other servers have, and what they were told.
type elsewhere struct{ others, told map[netip.Addr]int }

func (e elsewhere) Others(host netip.Addr) int { return e.others[host] }

func (e elsewhere) Count(host netip.Addr, n int) { e.told[host] = n }

func TestSessionsElsewhereCount(t *testing.T) {
	var h hosts
	a := netip.MustParseAddr("192.0.2.1")
	e := elsewhere{map[netip.Addr]int{a: 2}, map[netip.Addr]int{}}
	for i, want := range []bool{true, false} {
		if got := h.admit(a, 3, 0, e) == ""; got != want {
			t.Errorf("session %d beside two elsewhere is let in: %v", i+1, got)
		}
	}
	e.others[a] = 1
	if h.admit(a, 3, 0, e) != "" || e.told[a] != 2 {
		t.Errorf("when one elsewhere has ended none is let in, or others were told of %d", e.told[a])
	}
	if h.admit(a, 0, 0, e) != "" || e.told[a] != 0 {
		t.Errorf("without a limit sessions elsewhere count, or others were told of %d", e.told[a])
	}
	for range 2 {
		h.release(a, 3, e)
	}
	if e.told[a] != 1 {
		t.Errorf("when two have ended others were told of %d", e.told[a])
	}
}
