package defence

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/config"
	"ferry/ftp"
)

func open(t *testing.T, o Options) *Guard {
	t.Helper()
	g, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func networks(texts ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, text := range texts {
		p, err := config.ParseNetwork(text)
		if err != nil {
			panic(err)
		}
		all = append(all, p)
	}
	return all
}

func guess(user, password string) (ftp.GuardEvent, string) {
	return ftp.GuardEvent{Kind: ftp.WrongPassword, Password: password, Reason: "wrong password"}, user
}

func (g *Guard) try(addr string, n int) {
	for range n {
		e, user := guess("bob", rand.Text())
		g.Note(netip.MustParseAddr(addr), e, user)
	}
}

func (g *Guard) lets(addr string) bool { return g.Admit(netip.MustParseAddr(addr)) == nil }

func TestNetworks(t *testing.T) {
	g := open(t, Options{Allow: networks("10.0.0.0/8", "2001:db8::/32"), Deny: networks("10.1.0.0/16", "10.2.0.1")})
	for addr, want := range map[string]bool{
		"10.3.0.1": true, "::ffff:10.3.0.1": true, "10.1.2.3": false, "10.2.0.1": false, "10.2.0.2": true,
		"192.0.2.1": false, "2001:db8::7": true, "2001:db9::7": false, "127.0.0.1": false, "fe80::1%eth0": false,
	} {
		if g.lets(addr) != want {
			t.Errorf("%s: admitted %v", addr, !want)
		}
	}
}

func TestPointsMakeBans(t *testing.T) {
	for kind, most := range map[ftp.GuardKind]int{
		ftp.UnknownUser: 5, ftp.WrongPassword: 15, ftp.LoginRefused: 15, ftp.NoLogin: 15, ftp.Noise: 3, ftp.TooManySessions: 8,
	} {
		g := open(t, Options{})
		addr := netip.MustParseAddr("192.0.2.1")
		for n := range most {
			if err := g.Admit(addr); err != nil {
				t.Fatalf("kind %d: banned after %d: %v", kind, n, err)
			}
			g.Note(addr, ftp.GuardEvent{Kind: kind, Password: fmt.Sprint(n)}, "bob")
		}
		if g.Admit(addr) == nil {
			t.Errorf("kind %d: not banned after %d", kind, most)
		}
	}
	g := open(t, Options{})
	for n := range 100 {
		g.Note(netip.MustParseAddr("192.0.2.1"), ftp.GuardEvent{Kind: ftp.LoginHeldOff, Password: fmt.Sprint(n)}, "bob")
	}
	if !g.lets("192.0.2.1") {
		t.Error("banned for what nobody looked at")
	}
}

func TestBansGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := open(t, Options{})
		want := 15 * time.Minute
		for range 9 {
			g.try("192.0.2.1", threshold)
			g.try("192.0.2.1", 3*threshold) // the rest of a session: counts for nothing
			if b := g.Bans(); len(b) != 1 || time.Until(b[0].Until) != want {
				t.Fatalf("%v, want one for %v", b, want)
			}
			time.Sleep(want - time.Second)
			if g.lets("192.0.2.1") {
				t.Fatalf("admitted before %v", want)
			}
			time.Sleep(time.Second)
			if !g.lets("192.0.2.1") {
				t.Fatalf("banned after %v", want)
			}
			want = min(2*want, 24*time.Hour)
		}
		time.Sleep(7*24*time.Hour + time.Second)
		g.try("192.0.2.1", threshold)
		if b := g.Bans(); len(b) != 1 || time.Until(b[0].Until) != 15*time.Minute || b[0].Times != 1 {
			t.Errorf("after a quiet week: %v", b)
		}
	})
}

func TestPointsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := open(t, Options{})
		for range 20 {
			g.try("192.0.2.1", threshold/2)
			time.Sleep(16 * time.Minute)
		}
		if !g.lets("192.0.2.1") {
			t.Error("points older than the window count")
		}
		g.try("192.0.2.2", threshold-1)
		g.Note(netip.MustParseAddr("192.0.2.2"), ftp.GuardEvent{Kind: ftp.LoggedIn}, "bob")
		g.try("192.0.2.2", threshold-1)
		if !g.lets("192.0.2.2") {
			t.Error("a login does not take back the points")
		}
	})
}

// A device with an old password must not lock the office out that it is in.
func TestTheSameGuessCountsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := open(t, Options{})
		addr := netip.MustParseAddr("192.0.2.1")
		for range 10_000 {
			e, user := guess("camera", "before the change")
			g.Note(addr, e, user)
			e, user = guess("door", "before the change")
			e.Kind = ftp.UnknownUser
			g.Note(addr, e, user)
			time.Sleep(10 * time.Second)
		}
		if err := g.Admit(addr); err != nil {
			t.Fatal(err)
		}
		g.try("192.0.2.1", threshold-5)
		if !g.lets("192.0.2.1") {
			t.Error("the two cost more than 4 points")
		}
		g.try("192.0.2.1", 1)
		if g.lets("192.0.2.1") {
			t.Error("the two cost less than 4 points")
		}
	})
}

func TestWhoIsNeverBanned(t *testing.T) {
	g := open(t, Options{Trusted: networks("10.0.0.0/8")})
	for _, addr := range []string{"127.0.0.1", "::1", "::ffff:127.0.0.5", "10.1.1.1"} {
		g.try(addr, 100)
		if !g.lets(addr) {
			t.Errorf("%s is banned", addr)
		}
	}
	g = open(t, Options{Off: true})
	g.try("192.0.2.1", 100)
	if !g.lets("192.0.2.1") {
		t.Error("banned though that is off")
	}
}

func TestIPv6IsCountedByNetwork(t *testing.T) {
	g := open(t, Options{})
	for n := range threshold {
		g.try(fmt.Sprintf("2001:db8:1:2::%x", n+1), 1)
	}
	if g.lets("2001:db8:1:2:ffff::1") || !g.lets("2001:db8:1:3::1") {
		t.Error("the /64 is not what is banned")
	}
}

// Thousands of addresses that guess cost no more memory than the table has, and lift no ban.
func TestManyAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := open(t, Options{})
		at := func(n int) string { return fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255) }
		const banned, others = 5000, maxEntries + 20_000
		for n := range banned {
			g.try(at(n), threshold)
		}
		for n := range others {
			g.try(at(1<<20+n), 1)
		}
		for n := range banned {
			if g.lets(at(n)) {
				t.Fatalf("%s is not banned any more", at(n))
			}
		}
		if n := len(g.scores.entries); n != maxEntries || len(g.Bans()) != banned {
			t.Errorf("%d entries, %d bans", n, len(g.Bans()))
		}
		if n := g.scores.suspects.Len() + g.scores.banned.Len(); n != maxEntries {
			t.Errorf("the lists have %d entries", n)
		}
		if !g.lets(at(1<<20)) || g.scores.entries[Host(netip.MustParseAddr(at(1<<20)))] != nil {
			t.Error("who was not heard of for longest is not forgotten first")
		}
	})
}

func TestBansByHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := open(t, Options{})
		for _, network := range []string{"192.0.2.1", "198.51.100.0/24", "2001:db8::/48", "2001:db9::5"} {
			if _, err := g.Ban(networks(network)[0], time.Hour, "by hand"); err != nil {
				t.Fatal(err)
			}
		}
		for _, addr := range []string{"192.0.2.1", "198.51.100.77", "2001:db8:0:5::1", "2001:db9::6"} {
			if g.lets(addr) {
				t.Errorf("%s is admitted", addr)
			}
		}
		if len(g.Bans()) != 4 {
			t.Errorf("%v", g.Bans())
		}
		if !g.Unban(networks("198.51.100.0/24")[0]) || g.Unban(networks("198.51.100.0/24")[0]) || !g.lets("198.51.100.77") {
			t.Error("the ban of a network is not lifted once")
		}
		if !g.Unban(networks("2001:db9::7")[0]) || !g.lets("2001:db9::6") {
			t.Error("the ban of an IPv6 address is not lifted")
		}
		if g.UnbanAll() != 2 || !g.lets("192.0.2.1") || len(g.Bans()) != 0 {
			t.Errorf("%v", g.Bans())
		}
		b, err := g.Ban(networks("192.0.2.1")[0], 0, "")
		if err != nil || time.Until(b.Until) != firstBan {
			t.Errorf("%v %v", b, err)
		}
	})
}

func TestBansAreKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state", "bans.json")
	synctest.Test(t, func(t *testing.T) {
		run := func(do func(g *Guard)) {
			g := open(t, Options{File: file})
			ctx, stop := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { done <- g.Run(ctx) }()
			do(g)
			stop()
			<-done
		}
		run(func(g *Guard) {
			g.try("192.0.2.1", threshold)
			time.Sleep(firstBan)
			g.try("192.0.2.1", threshold)
			g.try("192.0.2.2", threshold-1)
			g.Ban(networks("198.51.100.0/24")[0], time.Hour, "by hand")
		})
		text, err := os.ReadFile(file)
		if err != nil || strings.Contains(string(text), "guess") {
			t.Fatalf("%s %v", text, err)
		}
		run(func(g *Guard) {
			if b := g.Bans(); len(b) != 2 || b[0].Times != 2 || time.Until(b[0].Until) != 2*firstBan || b[1].Reason != "by hand" {
				t.Errorf("%+v", b)
			}
			if g.lets("198.51.100.3") || g.lets("192.0.2.1") {
				t.Error("bans are forgotten")
			}
			g.try("192.0.2.2", 1)
			if g.lets("192.0.2.2") {
				t.Error("points are forgotten")
			}
			time.Sleep(saveEvery + time.Second) // it is written before the end too
			if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), `"192.0.2.2/32","until"`) {
				t.Errorf("%s %v", text, err)
			}
		})
		if err := os.WriteFile(file, text[:len(text)/2], 0o600); err != nil {
			t.Fatal(err)
		}
		run(func(g *Guard) {
			if len(g.Bans()) != 0 {
				t.Errorf("%+v", g.Bans())
			}
		})
	})
}
