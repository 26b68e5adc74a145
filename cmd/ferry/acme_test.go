package main

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ferry/acme/acmetest"
)

// acmeFlags are those by which a server asks a for a certificate of name.
func acmeFlags(a *acmetest.Authority, name string) []string {
	return []string{
		"--acme", name, "--acme-ca", a.Directory, "--acme-ca-root", a.RootFile, "--acme-http-addr", a.HTTPAddr,
		"--acme-tls-alpn-addr", a.TLSAddr, "--acme-dns-resolver", a.DNS.Addr,
	}
}

// A secureClient is a session over TLS.
type secureClient struct {
	client
	conn *tls.Conn
	cfg  *tls.Config
}

// secure begins a session as bob at the URL of a listener with implicit TLS.
func secure(t *testing.T, url, name string) secureClient {
	t.Helper()
	// Which certificate it is the test compares.
	cfg := &tls.Config{ServerName: name, InsecureSkipVerify: true, ClientSessionCache: tls.NewLRUClientSessionCache(0)}
	conn, err := tls.Dial("tcp", strings.TrimPrefix(url, "ftps://"), cfg)
	if err != nil {
		t.Fatal(err)
	}
	c := secureClient{client{textproto.NewConn(conn), t, "127.0.0.1"}, conn, cfg}
	t.Cleanup(func() { c.Close() })
	c.want(220)
	c.cmd(331, "USER bob")
	c.cmd(230, "PASS sesame")
	c.cmd(200, "PBSZ 0")
	c.cmd(200, "PROT P")
	return c
}

// serial is that of the certificate that the client has seen.
func (c secureClient) serial() string {
	return c.conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

// retrieve begins a download and returns its data connection.
func (c secureClient) retrieve(name string) *tls.Conn {
	c.t.Helper()
	reply := c.cmd(229, "EPSV")
	port := strings.Trim(reply[strings.Index(reply, "("):], "(|)")
	data, err := net.Dial("tcp", net.JoinHostPort(c.host, port))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { data.Close() })
	c.cmd(150, "RETR "+name)
	return tls.Client(data, c.cfg)
}

// A certificate is renewed while a download over TLS runs: that session goes on with the one that
// it has seen, and a new one sees the next.
func TestACertificateIsRenewedUnderASession(t *testing.T) {
	a := acmetest.New(t, acmetest.Options{Validity: 12 * time.Second})
	dir := t.TempDir()
	content := bytes.Repeat([]byte("certificate "), 1<<20)
	if err := os.WriteFile(filepath.Join(dir, "large"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	r := start(t, nil, append([]string{dir, "--addr", "127.0.0.1:0", "--implicit-tls-addr", "127.0.0.1:0", "--passive-port", "0",
		"--user", "bob", "--pass", "sesame", "--require-tls"}, acmeFlags(a, "ftp.example.org")...)...)
	r.url(t)
	url := r.url(t)
	before := secure(t, url, "ftp.example.org")
	if issuer := before.conn.ConnectionState().PeerCertificates[0].Issuer.CommonName; !strings.Contains(issuer+r.logged(), "nobody vouches for") {
		t.Errorf("the first certificate is of %s:\n%s", issuer, r.logged())
	}
	r.waitFor(t, "got a certificate")
	old := secure(t, url, "ftp.example.org")
	data := old.retrieve("large")
	part := make([]byte, 1000)
	if _, err := io.ReadFull(data, part); err != nil {
		t.Fatal(err)
	}
	got := strings.Count(r.logged(), "got a certificate")
	for deadline := time.Now().Add(30 * time.Second); strings.Count(r.logged(), "got a certificate") == got; {
		if time.Now().After(deadline) {
			t.Fatalf("it is not renewed:\n%s", r.logged())
		}
		time.Sleep(50 * time.Millisecond)
	}
	fresh := secure(t, url, "ftp.example.org")
	if fresh.serial() == old.serial() {
		t.Error("a new session sees the old certificate")
	}
	rest, err := io.ReadAll(data)
	if err != nil || !bytes.Equal(append(part, rest...), content) {
		t.Errorf("%d of %d bytes, %v", len(part)+len(rest), len(content), err)
	}
	data.Close()
	old.want(226)
	data = old.retrieve("large") // its data connections resume the old session
	_, err = io.CopyN(io.Discard, data, 1000)
	// No client resumes a session whose certificate has expired, as it may on a slow machine.
	expired := time.Now().After(old.conn.ConnectionState().PeerCertificates[0].NotAfter)
	if err != nil || !data.ConnectionState().DidResume && !expired {
		t.Errorf("after the renewal: resumed %v, %v", data.ConnectionState().DidResume, err)
	}
}

// A certificate by --acme stands beside one in files, and each name gets its own; curl believes
// both. A later process uses what is stored, though the authority is away; SIGHUP changes nothing.
func TestACMEBesideCert(t *testing.T) {
	a := acmetest.New(t, acmetest.Options{})
	other := hostFile(t, "other.example.org")
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir()
	args := append([]string{":memory:", "--addr", "127.0.0.1:0", "--passive-port", "0", "--user", "bob", "--pass", "sesame", "--require-tls",
		"--cache-dir", cache, "--cert", other, "--key", other, "-v"}, acmeFlags(a, "ftp.example.org")...)
	upload := func(r *running, port string) {
		t.Helper()
		for name, root := range map[string]string{"ftp.example.org": a.IssuedRoot(t), "other.example.org": other} {
			out, err := invoke(t, "curl", "-sS", "--ssl-reqd", "--cacert", root, "--connect-timeout", "20", "--resolve", name+":"+port+":127.0.0.1",
				"-u", "bob:sesame", "-T", file, "ftp://"+name+":"+port+"/f")
			if err != nil {
				t.Errorf("%s: %v: %s\n%s", name, err, out, r.logged())
			}
		}
	}
	r := startBare(t, nil, args...)
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(r.url(t), "ftp://"))
	r.waitFor(t, "got a certificate")
	upload(r, port)
	r.signals <- syscall.SIGTERM
	if status := r.wait(t); status != exitOK {
		t.Fatalf("status %d:\n%s", status, r.logged())
	}
	orders := a.Orders()
	a.SetAway(true)
	r = startBare(t, nil, args...)
	_, port, _ = net.SplitHostPort(strings.TrimPrefix(r.url(t), "ftp://"))
	r.signals <- syscall.SIGHUP
	r.waitFor(t, "read the certificate again")
	upload(r, port)
	if a.Orders() != orders || strings.Contains(r.logged(), "nobody vouches") {
		t.Errorf("it asked %d times:\n%s", a.Orders()-orders, r.logged())
	}
	if info, err := os.Stat(filepath.Join(cache, "acme")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory has mode %v, %v", info.Mode(), err)
	}
}

// What cannot be is refused before anything is served.
func TestFlagsOfACME(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--acme", "192.0.2.1"}, "192.0.2.1 is an address"},
		{[]string{"--acme", "[2001:db8::1]"}, "is an address"},
		{[]string{"--acme", "localhost"}, "localhost means something else on each machine"},
		{[]string{"--acme", "nas.local"}, "--tls self-signed"},
		{[]string{"--acme", "ftp://ftp.example.org"}, "leave out scheme"},
		{[]string{"--acme", "*.example.org"}, "needs a proof in the DNS"},
		{[]string{"--acme", "a..example.org"}, "not a name of the DNS"},
		{[]string{"--acme", "a.example.org", "--acme", "A.example.org."}, "named twice"},
		{[]string{"--acme", "a.example.org", "--tls", "self-signed"}, "exclude each other"},
		{[]string{"--acme", "a.example.org", "--acme-http-addr", "off", "--acme-tls-alpn-addr", "off"}, "give a way to prove"},
		{[]string{"--acme", "a.example.org", "--acme-dns", "persist", "--acme-dns-program", "x"}, "exclude each other"},
		{[]string{"--acme", "a.example.org", "--acme-ca", "http://ca.example"}, "use the URL of a directory"},
		{[]string{"--acme", "a.example.org", "--acme-eab", "s3cret"}, "number:key"},
		{[]string{"--acme", "a.example.org", "--acme-dns-rfc2136", "ns", "--acme-dns-tsig", "hmac-md5:k:s3cret"}, "hmac-sha256"},
		{[]string{"--acme", "a.example.org", "--acme-dns-tsig", "hmac-sha256:k:s3cret"}, "need --acme-dns-rfc2136"},
		{[]string{"--acme", "a.example.org", "--acme-dns-api", "https://d"}, "belong together"},
		{[]string{"--acme", "a.example.org", "--acme-dns-api", "https://d", "--acme-dns-account", "/dev/null"}, "POST /register"},
		{[]string{"--acme", "a.example.org", "--acme-ca-root", "/dev/null"}, "there is no certificate in it"},
		{[]string{"--acme-email", "a@example.org"}, "--acme-email needs --acme"},
	} {
		status, _, stderr := runNow(t, nil, append([]string{"serve", "ftp", ":memory:", "--addr", "127.0.0.1:0", "--cache-dir", t.TempDir()}, tt.args...)...)
		if status == exitOK || !strings.Contains(stderr, tt.want) || strings.Contains(stderr, "s3cret") {
			t.Errorf("%v: status %d: %s", tt.args, status, stderr)
		}
	}
}

// The commands show, renew and check; a server that runs takes over what was renewed.
func TestCommandsOfACME(t *testing.T) {
	a := acmetest.New(t, acmetest.Options{})
	cache := t.TempDir()
	flags := append(acmeFlags(a, "ftp.example.org"), "--cache-dir", cache)
	run := func(want string, command ...string) string {
		t.Helper()
		status, stdout, stderr := runNow(t, nil, append(append([]string{"acme"}, command...), flags...)...)
		if status != exitOK || !strings.Contains(stdout, want) {
			t.Errorf("%v: status %d, %s%s", command, status, stdout, stderr)
		}
		return stdout
	}
	run("ftp.example.org: there is no certificate yet", "show")
	run("ok    ftp.example.org: address: 127.0.0.1", "check")
	run("ftp.example.org: expires ", "renew")
	if a.Orders() != 1 {
		t.Errorf("%d orders", a.Orders())
	}
	r := startBare(t, nil, append([]string{":memory:", "--addr", "127.0.0.1:0", "--implicit-tls-addr", "127.0.0.1:0", "--user", "bob", "--pass", "sesame"}, flags...)...)
	r.url(t)
	c := secure(t, r.url(t), "ftp.example.org")
	if chain := c.conn.ConnectionState().PeerCertificates; chain[0].VerifyHostname("ftp.example.org") != nil || len(chain) < 2 {
		t.Errorf("the server shows %v", chain[0].Subject)
	}
	run("ftp.example.org: expires ", "renew", "ftp.example.org")
	run(`"expires": "`, "show", "--json")
	if a.Orders() != 2 {
		t.Errorf("%d orders", a.Orders())
	}
	a.SetLimit(3600)
	status, _, stderr := runNow(t, nil, append([]string{"acme", "renew"}, flags...)...)
	if status != exitFailure || !strings.Contains(stderr, "(rateLimited)") {
		t.Errorf("status %d, %s", status, stderr)
	}
	run("next try ", "show")
	file := filepath.Join(t.TempDir(), "ferry.toml")
	if err := os.WriteFile(file, []byte("[certificates]\nacme = [\"ftp.example.org\"]\nacme-ca = \""+a.Directory+"\"\n[cache]\ncache-dir = \""+cache+"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, stdout, stderr := runNow(t, nil, "acme", "show", "--server-config", file); status != exitOK || !strings.Contains(stdout, "expires ") {
		t.Errorf("status %d, %s%s", status, stdout, stderr)
	}
	if status, _, stderr := runNow(t, nil, "acme", "show"); status != exitUsage || !strings.Contains(stderr, "FERRY_ACME") {
		t.Errorf("status %d, %s", status, stderr)
	}
	if status, _, stderr := runNow(t, nil, append([]string{"acme", "renew", "other.example.org"}, flags...)...); status == exitOK || !strings.Contains(stderr, "not one of the names") {
		t.Errorf("status %d, %s", status, stderr)
	}
}

// With --acme-dns persist the log and "ferry acme show" name the record to create.
func TestTheRecordThatStaysIsTold(t *testing.T) {
	a := acmetest.New(t, acmetest.Options{})
	flags := append(acmeFlags(a, "stays.example.org"), "--cache-dir", t.TempDir(), "--acme-dns", "persist")
	r := startBare(t, nil, append([]string{":memory:", "--addr", "127.0.0.1:0"}, flags...)...)
	r.url(t)
	r.waitFor(t, "create this record")
	r.waitFor(t, "no new certificate")
	_, stdout, _ := runNow(t, nil, append([]string{"acme", "show"}, flags...)...)
	_, line, found := strings.Cut(stdout, "_validation-persist.stays.example.org. 300 IN TXT \"")
	value, rest, _ := strings.Cut(line, "\"")
	if !found || !strings.Contains(rest, "create it, once") || !strings.Contains(r.logged(), value) {
		t.Fatalf("%s\n%s", stdout, r.logged())
	}
	a.DNS.SetText("_validation-persist.stays.example.org", value)
	r.signals <- syscall.SIGHUP
	r.waitFor(t, "got a certificate")
}
