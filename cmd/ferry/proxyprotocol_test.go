package main

import (
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// connect opens a connection and sends a text at once, as a proxy does its header.
func connect(t *testing.T, addr, text string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return conn
}

// header is what a proxy sends for a client.
func header(client string) string {
	if strings.Contains(client, ":") {
		return "PROXY TCP6 " + client + " 2001:db8::21 1024 21\r\n"
	}
	return "PROXY TCP4 " + client + " 198.51.100.21 1024 21\r\n"
}

// closed reports whether the server closes a connection without a word.
func closed(t *testing.T, conn net.Conn) bool {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	text, err := io.ReadAll(conn)
	return len(text) == 0 && !os.IsTimeout(err)
}

func TestTheClientIsTheOneThatTheProxyTells(t *testing.T) {
	authLog := filepath.Join(t.TempDir(), "auth.log")
	r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--user", "bob", "--pass", "sesame", "--passive-port", "0",
		"--proxy-protocol", "127.0.0.1", "--deny", "192.0.2.66", "--auth-log", authLog, "-vv")
	addr := strings.TrimPrefix(r.url(t), "ftp://")
	if !closed(t, connect(t, addr, "USER bob\r\n")) {
		t.Error("a proxy without a header is served")
	}
	r.waitFor(t, "connection of a proxy refused")
	denied := textproto.NewConn(connect(t, addr, header("192.0.2.66")))
	if _, _, err := denied.ReadResponse(421); err != nil {
		t.Error(err)
	}
	c := client{textproto.NewConn(connect(t, addr, header("127.0.0.9"))), t, "127.0.0.1"}
	c.want(220)
	c.cmd(331, "USER bob")
	c.cmd(230, "PASS sesame")
	if text := c.cmd(227, "PASV"); !strings.Contains(text, "(198,51,100,21,") {
		t.Errorf("announced %s, not the address of the proxy", text)
	}
	reply := c.cmd(229, "EPSV")
	port := net.JoinHostPort("127.0.0.1", strings.Trim(reply[strings.Index(reply, "("):], "(|)"))
	connect(t, port, header("127.0.0.8")) // somebody else
	connect(t, port, "no header at all")
	data := connect(t, port, header("127.0.0.9"))
	c.cmd(150, "STOR f")
	if _, err := io.WriteString(data, "hello"); err != nil {
		code, text, _ := c.ReadResponse(0)
		t.Fatalf("%v\n%d %s\n%s", err, code, text, r.logged())
	}
	data.Close()
	c.want(226)
	if text := c.cmd(213, "SIZE f"); text != "5" {
		t.Errorf("the file has %s bytes", text)
	}
	l, err := net.Listen("tcp", "127.0.0.9:0") // active: to the client and not to the proxy
	if err != nil {
		t.Skipf("no address 127.0.0.9 here: %v", err)
	}
	defer l.Close()
	_, activePort, _ := net.SplitHostPort(l.Addr().String())
	c.cmd(200, "EPRT |1|127.0.0.9|"+activePort+"|")
	c.cmd(150, "RETR f")
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if text, err := io.ReadAll(conn); err != nil || string(text) != "hello" {
		t.Errorf("%q %v", text, err)
	}
	c.want(226)
	if text, err := os.ReadFile(authLog); err != nil || !strings.HasSuffix(string(text), "[bob] OK LOGIN: Client \"127.0.0.9\"\n") {
		t.Errorf("%q %v", text, err)
	}
}

// freePort returns a port that nobody listens on now.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// Clients behind one proxy share a port: it is told for each connection whose it is.
func TestClientsOfAProxyShareAPort(t *testing.T) {
	passive := freePort(t)
	r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--user", "bob", "--pass", "sesame", "--passive-port", fmt.Sprint(passive),
		"--proxy-protocol", "127.0.0.1", "-v")
	addr := strings.TrimPrefix(r.url(t), "ftp://")
	clients := []string{"192.0.2.7", "192.0.2.18", "2001:db8::9"}
	var all []client
	for _, from := range clients {
		c := client{textproto.NewConn(connect(t, addr, header(from))), t, "127.0.0.1"}
		c.want(220)
		c.cmd(331, "USER bob")
		c.cmd(230, "PASS sesame")
		if reply := c.cmd(229, "EPSV"); !strings.Contains(reply, fmt.Sprint(passive)) {
			t.Fatalf("another port: %s", reply)
		}
		all = append(all, c)
	}
	port := fmt.Sprintf("127.0.0.1:%d", passive)
	connect(t, port, "") // its header never comes
	if !closed(t, connect(t, port, header("192.0.2.66"))) {
		t.Error("a stranger is served")
	}
	for i, from := range clients { // data connections come in the reverse order of the commands
		all[i].cmd(150, "STOR "+from)
	}
	for i := range clients {
		from := clients[len(clients)-1-i]
		data := connect(t, port, header(from))
		if _, err := io.WriteString(data, strings.Repeat("x", 100*len(from))); err != nil {
			t.Fatal(err)
		}
		data.Close()
	}
	for i, from := range clients {
		all[i].want(226)
		if text := all[i].cmd(213, "SIZE "+from); text != fmt.Sprint(100*len(from)) {
			t.Errorf("%s stored %s bytes", from, text)
		}
	}
}

// TestBehindHAProxy stores and fetches a file by way of haproxy, with headers of version 2 on the
// control connection and on passive data connections, and by an active one.
func TestBehindHAProxy(t *testing.T) {
	for _, program := range []string{"haproxy", "curl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(program + " is not installed")
		}
	}
	dir := t.TempDir()
	front, passive := freePort(t), freePort(t)
	r := start(t, nil, ":memory:", "--addr", "127.0.0.2:0", "--user", "bob", "--pass", "sesame",
		"--passive-port", fmt.Sprint(passive), "--proxy-protocol", "127.0.0.0/8", "-v")
	back := strings.TrimPrefix(r.url(t), "ftp://")
	config := fmt.Sprintf(`defaults
 mode tcp
 timeout connect 10s
 timeout client 60s
 timeout server 60s
listen control
 bind 127.0.0.1:%d
 server ferry %s send-proxy-v2
listen data
 bind 127.0.0.1:%d
 server ferry 127.0.0.2:%d send-proxy-v2
`, front, back, passive, passive)
	if err := os.WriteFile(filepath.Join(dir, "haproxy.cfg"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	proxy := exec.Command("haproxy", "-db", "-f", filepath.Join(dir, "haproxy.cfg"))
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { proxy.Process.Kill(); proxy.Wait() }()
	file := filepath.Join(dir, "f")
	if err := os.WriteFile(file, []byte(strings.Repeat("content\n", 100_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	url := fmt.Sprintf("ftp://bob:sesame@127.0.0.1:%d/f", front)
	curl := func(args ...string) []byte {
		out, err := exec.Command("curl", append([]string{"-sS", "--max-time", "60", "--retry", "20", "--retry-connrefused", "--retry-delay", "1",
			"--interface", "127.0.0.1"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("curl %v: %v\n%s\n%s", args, err, out, r.logged())
		}
		return out
	}
	curl("-T", file, url)
	if out := curl(url); len(out) != 800_000 {
		t.Errorf("%d bytes came back", len(out))
	}
	if out := curl("--disable-epsv", url); len(out) != 800_000 {
		t.Errorf("%d bytes came back by PASV", len(out))
	}
	if out := curl("--ftp-port", "127.0.0.1", url); len(out) != 800_000 { // to the client, past the proxy
		t.Errorf("%d bytes came back by EPRT", len(out))
	}
}
