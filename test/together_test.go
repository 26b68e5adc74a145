package test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ferry/remote/remotetest/servers/natsserver"
)

// byBalancer has clients come by a load balancer.
var byBalancer = []string{"--proxy-protocol", "127.0.0.1"}

// A together is two ferries over one directory, for the same users, and NATS between them.
type together struct {
	*office
	nats     *natsserver.Server
	nodes    [2]*process
	addrs    [2]string
	controls [2]string
}

func startTogether(t *testing.T, users []string, args ...string) *together {
	g := &together{office: newOffice(t, users...), nats: natsserver.Start(t)}
	root := g.file("srv")
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range g.nodes {
		g.nodes[i], g.addrs[i] = serveWith(t, nil, ferryBinary, append([]string{
			"serve", "ftp", root, "--users", g.file("users.toml"), "--addr", "127.0.0.1:0", "--config", "notfound",
			"--cache-dir", g.cache(i), "--cluster", g.nats.URL(), "--node", fmt.Sprint("node", i), "-v",
			"--rc", "--rc-addr", "127.0.0.1:0", "--rc-no-auth",
		}, args...)...)
		g.controls[i] = controlAddress(t, g.nodes[i].log)
		if err := g.nodes[i].log.waitForLine("the engine that nodes share is reached"); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

func (g *together) cache(node int) string { return g.file(fmt.Sprint("cache", node)) }

// dial returns a connection to a node that comes from an address, and the greeting.
func (g *together) dial(node int, from string) (*ftpClient, string) {
	g.t.Helper()
	conn, err := net.DialTimeout("tcp", g.addrs[node], patience)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "PROXY TCP4 %s 127.0.0.1 1024 21\r\n", from)
	c := &ftpClient{t: g.t, conn: conn, r: bufio.NewReader(conn)}
	line, err := c.r.ReadString('\n')
	if err != nil && err != io.EOF {
		g.t.Fatal(err)
	}
	return c, line
}

// session is one of a user, and the reply to PASS.
func (g *together) session(node int, from, user string) (*ftpClient, string) {
	g.t.Helper()
	c, greeting := g.dial(node, from)
	if !strings.HasPrefix(greeting, "220") {
		return c, greeting
	}
	c.do("USER "+user, 331)
	return c, c.do("PASS "+user+user, 230, 421, 530)
}

// within waits until something is so, and logs how long that took: on a machine that does nothing
// else, some milliseconds. It fails when that is far more.
func (g *together) within(most time.Duration, what string, is func() bool) {
	g.t.Helper()
	begun := time.Now()
	for !is() {
		if time.Since(begun) > patience {
			g.t.Fatalf("%s: not within %v", what, patience)
		}
		time.Sleep(5 * time.Millisecond)
	}
	took := time.Since(begun)
	g.t.Logf("%s: after %v", what, took)
	if took > most {
		g.t.Errorf("%s: it took %v", what, took)
	}
}

// speaksHTTP costs five points.
func (g *together) speaksHTTP(node int, from string) {
	g.t.Helper()
	c, _ := g.dial(node, from)
	fmt.Fprint(c.conn, "GET / HTTP/1.0\r\n\r\n")
	_, _ = io.Copy(io.Discard, c.conn)
}

func (g *together) greets(node int, from string) bool {
	_, line := g.dial(node, from)
	return strings.HasPrefix(line, "220")
}

// bans reports whether a node refuses an address for what it has done, and not for how many
// connections it has.
func (g *together) bans(node int, from string) bool {
	_, line := g.dial(node, from)
	return strings.HasPrefix(line, "421 No service")
}

// elsewhere is how many sessions a node knows at the other one: of users, or of addresses.
func (g *together) elsewhere(node int, of, name string) any {
	g.t.Helper()
	_, out := rcRequest{path: "cluster/sessions"}.post(g.t, g.controls[node])
	counts, _ := out[of].(map[string]any)
	return counts[name]
}

// TestABanHoldsAtAllNodes has an attacker be spread over two nodes. A ban is lifted at the one that
// has not made it, and holds by itself where NATS is away.
func TestABanHoldsAtAllNodes(t *testing.T) {
	g := startTogether(t, []string{"ann"}, byBalancer...)
	const attacker, other = "192.0.2.7", "192.0.2.8"
	for i := range 3 {
		if !g.greets(1-i%2, attacker) {
			t.Fatalf("it is banned after %d tries", i)
		}
		g.speaksHTTP(i%2, attacker)
	}
	for node := range g.nodes {
		g.within(5*time.Second, "banned", func() bool { return g.bans(node, attacker) })
		if !g.greets(node, other) {
			t.Error("somebody else is banned")
		}
	}
	out := ferry(t, nil, "rc", "ftp/bans", "--url", g.controls[1])
	if !strings.Contains(out, `"node": "node`) || !strings.Contains(out, attacker+"/32") {
		t.Errorf("the bans are %s", out)
	}
	ferry(t, nil, "rc", "ftp/unban", "address="+attacker, "--url", g.controls[1])
	for node := range g.nodes {
		g.within(5*time.Second, "unbanned", func() bool { return g.greets(node, attacker) })
	}
	g.nats.Stop()
	for range 3 {
		g.speaksHTTP(0, other)
	}
	if !g.bans(0, other) || !g.greets(1, other) {
		t.Error("without NATS a node does not decide by itself")
	}
	g.nats.Restart(true)
	g.within(10*time.Second, "NATS is back", func() bool { return g.bans(1, other) })
}

func TestSessionsAreCountedByAllNodes(t *testing.T) {
	g := startTogether(t, []string{"ann max_sessions=1", "carl"}, append([]string{"--max-sessions-per-ip", "2"}, byBalancer...)...)
	enters := func(node int, from, user string) (*ftpClient, bool) {
		c, reply := g.session(node, from, user)
		return c, strings.HasPrefix(reply, "230")
	}
	first, in := enters(0, "192.0.2.1", "ann")
	if !in {
		t.Fatal("the first session is refused")
	}
	g.within(5*time.Second, "a user has one session", func() bool { return g.elsewhere(1, "users", "ann") == 1.0 })
	if _, in := enters(1, "192.0.2.2", "ann"); in {
		t.Error("a second session of a user is let in")
	}
	first.do("QUIT", 221)
	g.within(5*time.Second, "it has ended", func() bool {
		c, in := enters(1, "192.0.2.2", "ann")
		defer c.conn.Close()
		return in
	})
	for range 2 {
		if _, in := enters(0, "192.0.2.3", "carl"); !in {
			t.Error("a session of an address is refused")
		}
	}
	g.within(5*time.Second, "an address has two sessions", func() bool { return g.elsewhere(1, "addresses", "192.0.2.3") == 2.0 })
	if g.greets(1, "192.0.2.3") {
		t.Error("a third session of an address is let in")
	}
	if !g.greets(1, "192.0.2.4") {
		t.Error("another address is refused")
	}
}

func TestQuotasHoldOverAllNodes(t *testing.T) {
	g := startTogether(t, []string{"ann quota_bytes=300K remote=" + filepath.Join(t.TempDir(), "{user}") + " create_home=true"})
	var nodes [2]*ftpClient
	for i := range nodes {
		g.addr = g.addrs[i]
		nodes[i] = g.login("ann")
		nodes[i].do("TYPE I", 200)
	}
	stored := func(node int, name string, n int) (reply string) {
		t.Helper()
		c := nodes[node]
		data := c.data()
		defer data.Close()
		if reply = c.do("STOR "+name, 150, 452, 552); reply[:3] == "150" {
			_, _ = data.Write(make([]byte, n)) // it is refused with all of it, or none
			data.Close()
			reply = c.expect(226, 452, 552)
		}
		return reply
	}
	store := func(node int, name string, n int, want string) {
		t.Helper()
		if reply := stored(node, name, n); !strings.HasPrefix(reply, want) {
			t.Errorf("node %d stores %d as %s: %q, want %s", node, n, name, reply, want)
		}
	}
	store(0, "a", 200<<10, "226")
	store(1, "b", 200<<10, "552")
	store(1, "b", 60<<10, "226")
	store(0, "c", 60<<10, "552")
	store(0, "c", 40<<10, "226")
	store(1, "d", 1, "552")
	nodes[1].do("DELE a", 250)
	g.within(5*time.Second, "removed at the other node", func() bool { return strings.HasPrefix(stored(0, "d", 150<<10), "226") })

	usage := func(args ...string) string {
		out := ferry(t, nil, append([]string{"users", "--users", g.file("users.toml"), "usage", "ann",
			"--cluster", g.nats.URL(), "--cache-dir", t.TempDir(), "--config", "notfound"}, args...)...)
		return strings.Fields(strings.TrimSpace(out))[6] // behind the titles and the name
	}
	counted := fmt.Sprint(250 << 10)
	g.within(5*time.Second, "counted", func() bool { return usage() == counted })
	if got := usage("--scan"); got != counted {
		t.Errorf("counted anew it is %s", got)
	}

	g.nats.Stop()
	if reply := stored(1, "e", 50<<10); !strings.HasPrefix(reply, "552 How much you have stored") {
		t.Errorf("without NATS all that is left is stored: %q", reply)
	}
	g.nats.Restart(true)
	g.within(15*time.Second, "NATS is back", func() bool { return strings.HasPrefix(stored(0, "f", 20<<10), "226") })
	store(1, "g", 60<<10, "552")
}
