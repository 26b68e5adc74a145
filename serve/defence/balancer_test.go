package defence

import (
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"ferry/ftp"
)

// logins has users log in from an address, and returns what the log says.
func logins(t *testing.T, o Options, logins ...[2]string) string {
	t.Helper()
	var log strings.Builder
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	g, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range logins {
		g.Note(netip.MustParseAddr(l[0]), ftp.GuardEvent{Kind: ftp.LoggedIn}, l[1])
	}
	return log.String()
}

// users are n logins from an address, each one twice.
func users(addr string, n int) (all [][2]string) {
	for i := range 2 * n {
		all = append(all, [2]string{addr, fmt.Sprint("user", i/2)})
	}
	return all
}

// A load balancer that hides its clients is warned of once, with what to do about it.
func TestABalancerThatHidesItsClients(t *testing.T) {
	for _, addr := range []string{"10.0.0.5", "192.168.1.1", "::ffff:172.16.0.9", "fd00::5"} {
		if log := logins(t, Options{}, users(addr, 3)...); log != "" {
			t.Errorf("three users of %s: %s", addr, log)
		}
		log := logins(t, Options{}, append(users(addr, 20), users("10.9.9.9", 20)...)...)
		shown := netip.MustParseAddr(addr).Unmap().String()
		if strings.Count(log, "\n") != 1 || !strings.Contains(log, "address="+shown) ||
			!strings.Contains(log, "--proxy-protocol") || !strings.Contains(log, "--trusted") {
			t.Errorf("the log says %q", log)
		}
		if log := logins(t, Options{Off: true}, users(addr, 4)...); log == "" {
			t.Error("without bans nobody is warned, though limits count by address")
		}
	}
	for name, log := range map[string]string{
		"an address of the internet": logins(t, Options{}, users("192.0.2.1", 20)...),
		"this machine":               logins(t, Options{}, users("127.0.0.1", 20)...),
		"a known one":                logins(t, Options{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")}}, users("10.0.0.5", 20)...),
		"the PROXY protocol":         logins(t, Options{Proxied: true}, users("10.0.0.5", 20)...),
	} {
		if log != "" {
			t.Errorf("%s: %s", name, log)
		}
	}
}

// Who guesses is no crowd of users.
func TestGuessesAreNoUsers(t *testing.T) {
	var log strings.Builder
	g, err := New(Options{Off: true, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		g.Note(netip.MustParseAddr("10.0.0.5"), ftp.GuardEvent{Kind: ftp.UnknownUser}, fmt.Sprint("user", i))
		g.Note(netip.MustParseAddr("10.0.0.5"), ftp.GuardEvent{Kind: ftp.WrongPassword}, fmt.Sprint("user", i))
	}
	if log.Len() > 0 {
		t.Error(log.String())
	}
}

// What is kept of many addresses is bounded.
func TestManyAddressesAreNotKept(t *testing.T) {
	var c crowds
	for i := range 3 * maxCrowds {
		c.grew(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), "bob")
	}
	if len(c.users) > maxCrowds {
		t.Errorf("%d addresses are kept", len(c.users))
	}
}
