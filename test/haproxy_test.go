package test

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry/remote/remotetest/servers"
	"ferry/remote/remotetest/servers/natsserver"
)

// A cluster is three ferries over one bucket of a real S3 server, which tell each other by a real
// NATS server what they do, behind a real haproxy.
type cluster struct {
	*testing.T
	site     *site
	nats     *natsserver.Server
	dir      string // the remote that all serve
	users    string // file of the users
	balanced bool   // haproxy is there
	front    string // where it listens; each connection goes to the next node that is ready; "" without it
	nodes    []*clusterNode
}

// A clusterNode is one of the ferries. It can be killed, and started again at the same address.
type clusterNode struct {
	*cluster
	name  string
	home  string // holds the cache
	front string // where haproxy listens for this node alone; without it, where the node does
	addr  string // where the node listens, for headers of the PROXY protocol behind haproxy
	admin string // where its health and its metrics are
	first int    // of its passive ports
	args  []string

	mu   sync.Mutex
	proc *process // guarded by mu
}

const (
	clusterSize    = 3
	clusterPassive = 60 // passive ports of a node
	clusterTopic   = "bucket"
)

// newCluster starts all. more are flags of each node.
func newCluster(t *testing.T, users []string, more ...string) *cluster {
	t.Helper()
	if !hasHAProxy() {
		t.Skip("haproxy is not installed")
	}
	return startCluster(t, true, users, more...)
}

func hasHAProxy() bool {
	_, err := exec.LookPath("haproxy")
	return err == nil
}

// startCluster starts all, haproxy if balanced. Without it clients choose their nodes.
func startCluster(t *testing.T, balanced bool, users []string, more ...string) *cluster {
	t.Helper()
	f := &cluster{T: t, nats: natsserver.Start(t), balanced: balanced}
	f.site = startTellingGateway(t, "--event-nats-url", f.nats.URL(), "--event-nats-topic", clusterTopic)
	f.dir = "there:" + f.site.fresh(t)
	f.users = filepath.Join(t.TempDir(), "users.toml")
	if err := os.WriteFile(f.users, []byte(strings.Join(users, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range clusterSize {
		f.nodes = append(f.nodes, f.newNode(i, more))
	}
	if balanced {
		f.startHAProxy()
	}
	for _, n := range f.nodes {
		n.start()
	}
	for _, n := range f.nodes {
		n.ready()
	}
	return f
}

// clusterUser is a user of a cluster. The password is builder.
func clusterUser(name, more string) string {
	sum := sha1.Sum([]byte("builder"))
	return fmt.Sprintf("[users.%s]\npassword = '{SHA}%s'\n%s\n", name, base64.StdEncoding.EncodeToString(sum[:]), more)
}

func (f *cluster) newNode(i int, more []string) *clusterNode {
	host := "127.0.0.1"
	if f.balanced { // haproxy has the passive ports there
		host = fmt.Sprintf("127.0.0.%d", 11+i)
		more = append([]string{"--proxy-protocol", "127.0.0.0/8", "--public-ip", "127.0.0.1"}, more...)
	}
	n := &clusterNode{cluster: f, name: fmt.Sprintf("n%d", i+1), home: f.TempDir(), first: servers.FreePorts(f, clusterPassive)}
	n.addr = fmt.Sprintf("%s:%d", host, servers.FreePort(f))
	n.admin = fmt.Sprintf("%s:%d", host, servers.FreePort(f))
	n.front = n.addr
	if f.balanced {
		n.front = fmt.Sprintf("127.0.0.1:%d", servers.FreePort(f))
	}
	n.args = append([]string{
		"serve", "ftp", f.dir, "--users", f.users, "--addr", n.addr, "--metrics-addr", n.admin, "-v",
		"--passive-port", n.passive(), "--node", n.name, "--cluster", f.nats.URL(), "--change-feed", f.nats.URL() + "/" + clusterTopic, "--dir-cache-time", "1h",
	}, more...)
	return n
}

// passive returns the passive ports of a node, as haproxy has ranges, too.
func (n *clusterNode) passive() string {
	return fmt.Sprintf("%d-%d", n.first, n.first+clusterPassive-1)
}

// behind returns the node that a data connection leads to, whoever is between.
func (f *cluster) behind(data net.Conn) *clusterNode {
	if a, ok := data.RemoteAddr().(*net.TCPAddr); ok {
		for _, n := range f.nodes {
			if a.Port >= n.first && a.Port < n.first+clusterPassive {
				return n
			}
		}
	}
	return nil
}

// mustLogin logs a user in.
func (f *cluster) mustLogin(addr, user string) *mortal {
	f.Helper()
	m, err := loginMortalAs(addr, user)
	if err != nil {
		f.Fatal(err)
	}
	return m
}

// startHAProxy starts the balancer: one address for all control connections, one for those of each
// node, and the passive ports of each.
func (f *cluster) startHAProxy() {
	f.Helper()
	f.front = fmt.Sprintf("127.0.0.1:%d", servers.FreePort(f))
	var config strings.Builder
	config.WriteString("defaults\n mode tcp\n timeout connect 2s\n timeout client 10m\n timeout server 10m\n retries 3\n option redispatch\n")
	fmt.Fprintf(&config, "listen control\n bind %s\n balance roundrobin\n option httpchk GET /readyz\n", f.front)
	for _, n := range f.nodes {
		host, port, _ := net.SplitHostPort(n.admin)
		fmt.Fprintf(&config, " server %s %s send-proxy-v2 check addr %s port %s inter 100ms fall 1 rise 1\n", n.name, n.addr, host, port)
	}
	for _, n := range f.nodes {
		host, _, _ := net.SplitHostPort(n.addr)
		fmt.Fprintf(&config, "listen only-%s\n bind %s\n server %s %s send-proxy-v2\n", n.name, n.front, n.name, n.addr)
		fmt.Fprintf(&config, "listen data-%s\n bind 127.0.0.1:%s\n server %s %s send-proxy-v2\n", n.name, n.passive(), n.name, host)
	}
	file := filepath.Join(f.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(file, []byte(config.String()), 0o600); err != nil {
		f.Fatal(err)
	}
	proxy := exec.Command("haproxy", "-db", "-q", "-f", file)
	log := newLogBuffer()
	proxy.Stdout, proxy.Stderr = log, log
	if err := proxy.Start(); err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		_ = proxy.Process.Kill() // it may have ended by itself
		_ = proxy.Wait()
		if f.Failed() {
			f.Logf("haproxy:\n%s", log)
		}
	})
	f.until(func() bool { // no node is there yet, so nobody is connected to
		c, err := net.Dial("tcp", f.front)
		if err == nil {
			c.Close()
		}
		return err == nil
	}, "haproxy listens")
}

// start starts the node.
func (n *clusterNode) start() {
	n.Helper()
	p, err := start(n.home, n.site.environment("there", n.site.addr), n.args...)
	if err != nil {
		n.Fatal(err)
	}
	n.mu.Lock()
	n.proc = p
	n.mu.Unlock()
	n.Cleanup(func() {
		p.kill()
		if n.Failed() {
			n.Logf("log of %s:\n%s", n.name, p.log)
		}
	})
	if _, err := p.addresses(1); err != nil {
		n.Fatal(err)
	}
}

// kill ends the node at once, and looks at what it has said.
func (n *clusterNode) kill() {
	n.process().kill()
	n.check()
}

// check looks for what a node must never say.
func (n *clusterNode) check() {
	n.Helper()
	log := n.process().log.String()
	for _, bad := range []string{"DATA RACE", "panic", "level=ERROR"} {
		if strings.Contains(log, bad) {
			n.Errorf("the log of %s shows %s:\n%s", n.name, bad, log)
		}
	}
}

func (n *clusterNode) process() *process {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.proc
}

// ready waits until the node says that it is.
func (n *clusterNode) ready() {
	n.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		status, body := n.get("/readyz")
		if status == http.StatusOK {
			return
		}
		if time.Now().After(end) {
			n.Fatalf("%s is not ready: %d %s\n%s", n.name, status, body, n.process().log)
		}
	}
}

// get asks the node for a page; the status is 0 where it does not answer.
func (n *clusterNode) get(path string) (status int, body string) {
	a, err := http.Get("http://" + n.admin + path)
	if err != nil {
		return 0, err.Error()
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		return 0, err.Error()
	}
	return a.StatusCode, string(text)
}

// sum adds the values of a metric of the node whose labels contain all of these texts.
func (n *clusterNode) sum(name string, labels ...string) float64 {
	n.Helper()
	_, body := n.get("/metrics")
	total := 0.0
next:
	for _, line := range strings.Split(body, "\n") {
		head, value, found := strings.Cut(line, "} ")
		if !found || !strings.HasPrefix(head, name+"{") {
			continue
		}
		for _, label := range labels {
			if !strings.Contains(head, label) {
				continue next
			}
		}
		var v float64
		if _, err := fmt.Sscan(value, &v); err != nil {
			n.Fatalf("%q: %v", line, err)
		}
		total += v
	}
	return total
}
