package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ferry/ftp"
)

// hostFile makes a file with a certificate for hosts and its key.
func hostFile(t *testing.T, hosts ...string) string {
	t.Helper()
	file, _, _, err := ftp.SelfSigned(t.TempDir(), hosts)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// twoHosts is a server with a certificate for each of two names; ferry reads those files.
func twoHosts(t *testing.T) (r *running, port, one, two string) {
	t.Helper()
	one, two = hostFile(t, "one.example.org"), hostFile(t, "two.example.org")
	r = start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--user", "bob", "--pass", "sesame", "--passive-port", "0", "--require-tls",
		"--cert", one, "--key", one, "--cert", two, "--key", two, "-v")
	_, port, _ = net.SplitHostPort(strings.TrimPrefix(r.url(t), "ftp://"))
	return r, port, one, two
}

// invoke runs another program, which must be installed, and returns what it says.
func invoke(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skip(name + " is not installed")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, name, args...)
	c.Stdin = strings.NewReader("QUIT\r\n")
	out, err := c.CombinedOutput()
	return string(out), err
}

// TestCurlChecksEachName has curl verify the certificates of both connections by the name that it
// calls the server by.
func TestCurlChecksEachName(t *testing.T) {
	r, port, one, two := twoHosts(t)
	dir := t.TempDir()
	for _, resumption := range []string{"offered", "off"} {
		for _, tt := range []struct {
			host, trusted string
			right         bool
		}{
			{"one.example.org", one, true}, {"two.example.org", two, true},
			{"one.example.org", two, false}, {"two.example.org", one, false}, {"three.example.org", one, false},
		} {
			file := filepath.Join(dir, "f")
			if err := os.WriteFile(file, []byte("for "+tt.host), 0o600); err != nil {
				t.Fatal(err)
			}
			args := []string{"-sS", "--max-time", "50", "--ssl-reqd", "--cacert", tt.trusted, "--resolve", tt.host + ":" + port + ":127.0.0.1"}
			if resumption == "off" {
				args = append(args, "--no-sessionid")
			}
			url := fmt.Sprintf("ftp://bob:sesame@%s:%s/f", tt.host, port)
			out, err := invoke(t, "curl", append(args, "-T", file, url)...)
			if (err == nil) != tt.right {
				t.Fatalf("%s with %s: %v %s\n%s", tt.host, tt.trusted, err, out, r.logged())
			}
			if !tt.right {
				continue
			}
			if out, err := invoke(t, "curl", append(args, url)...); err != nil || out != "for "+tt.host {
				t.Errorf("%s: %v %q", tt.host, err, out)
			}
		}
	}
}

// TestOpenSSLNamesTheHost looks at the certificate that openssl is shown.
func TestOpenSSLNamesTheHost(t *testing.T) {
	_, port, one, two := twoHosts(t)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"-servername", "one.example.org"}, one},
		{[]string{"-servername", "two.example.org"}, two},
		{[]string{"-servername", "two.example.org", "-tls1_2"}, two},
		{[]string{"-servername", "three.example.org"}, one},
		{[]string{"-noservername"}, one},
	} {
		args := append([]string{"s_client", "-connect", "127.0.0.1:" + port, "-starttls", "ftp", "-showcerts"}, tt.args...)
		out, err := invoke(t, "openssl", args...)
		text, readErr := os.ReadFile(tt.want)
		if readErr != nil {
			t.Fatal(readErr)
		}
		cert, _, _ := bytes.Cut(text, []byte("-----END CERTIFICATE"))
		cert = cert[bytes.Index(cert, []byte("-----BEGIN CERTIFICATE")):]
		if !strings.Contains(out, string(cert)) {
			t.Errorf("%v: another certificate than %s: %v\n%s", tt.args, tt.want, err, out)
		}
	}
}

// The log says what is for whom; all are read again on a signal, and those that are broken stay.
func TestAllCertificatesAreReadAgain(t *testing.T) {
	r, port, one, two := twoHosts(t)
	r.waitFor(t, "names=two.example.org")
	replace := func(file, text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	next, err := os.ReadFile(hostFile(t, "next.example.org"))
	if err != nil {
		t.Fatal(err)
	}
	replace(one, "broken")
	replace(two, string(next))
	r.signals <- syscall.SIGHUP
	r.waitFor(t, "the old certificate stays")
	r.waitFor(t, "read the certificate again")
	for name, want := range map[string]bool{"next.example.org": true, "two.example.org": false, "one.example.org": true} {
		out, _ := invoke(t, "openssl", "s_client", "-connect", "127.0.0.1:"+port, "-starttls", "ftp", "-servername", name, "-verify_hostname", name)
		if got := !strings.Contains(out, "ostname mismatch"); got != want {
			t.Errorf("%s: verified %v\n%s", name, got, out)
		}
	}
}

// HOST without SNI is what a client has that knows no SNI; its reply is that of RFC 7151.
func TestHostIsAnswered(t *testing.T) {
	_, port, _, _ := twoHosts(t)
	conn, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	c := client{textproto.NewConn(conn), t, "127.0.0.1"}
	defer c.Close()
	c.want(220)
	c.cmd(220, "HOST two.example.org")
	c.cmd(220, "HOST nobody.example.org") // the last one counts
	c.cmd(501, "HOST two.example.org:21")
	c.cmd(530, "USER bob")
}

// Each certificate has its key.
func TestCertificatesAndKeysMatch(t *testing.T) {
	a := hostFile(t, "a.example")
	for _, tt := range []struct {
		args []string
		want []string
	}{
		{[]string{"--cert", a, "--cert", a, "--key", a}, []string{"--cert names 2 files and --key 1", "in the same order"}},
		{[]string{"--cert", a, "--key", a, "--key", a}, []string{"--cert names 1 files and --key 2"}},
		{[]string{"--cert", a, "--key", a, "--cert", hostFile(t, "b.example"), "--key", a}, []string{"private key does not match"}},
	} {
		status, _, stderr := runNow(t, nil, append([]string{"serve", "ftp", ":memory:", "--cache-dir", t.TempDir(), "--addr", "127.0.0.1:0"}, tt.args...)...)
		if status == 0 {
			t.Errorf("%v is taken", tt.args)
		}
		for _, want := range tt.want {
			if !strings.Contains(stderr, want) {
				t.Errorf("%v: %q is not in %s", tt.args, want, stderr)
			}
		}
	}
	// One by a variable, as it always was; two with a comma between them; an empty one is none.
	b := hostFile(t, "b.example")
	for _, env := range [][]string{
		{"RCLONE_CERT=" + a, "RCLONE_KEY=" + a}, {"FERRY_CERT=" + a + "," + b, "FERRY_KEY=" + a + "," + b}, {"FERRY_CERT=", "FERRY_KEY="},
	} {
		start(t, env, ":memory:", "--addr", "127.0.0.1:0", "--passive-port", "0").url(t)
	}
	start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--passive-port", "0", "--cert", "", "--key", "").url(t)
}

// certificateShown returns the name in the certificate that a client is shown who asks for host,
// and its connection.
func certificateShown(t *testing.T, addr, host string) (string, *tls.Conn) {
	t.Helper()
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { raw.Close() })
	c := client{textproto.NewConn(raw), t, "127.0.0.1"}
	c.want(220)
	c.cmd(234, "AUTH TLS")
	conn := tls.Client(raw, &tls.Config{ServerName: host, InsecureSkipVerify: true})
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	return conn.ConnectionState().PeerCertificates[0].DNSNames[0], conn
}

// A hangup shows clients the certificates that the file of flags names now; sessions go on. Files
// that cannot be read change nothing. The new files are watched as the old were.
func TestHangupShowsOtherCertificates(t *testing.T) {
	one, two, three := hostFile(t, "one.example.org"), hostFile(t, "two.example.org"), hostFile(t, "three.example.org")
	head := "remote = \":memory:\"\naddr = \"127.0.0.1:0\"\n[users.bob]\nauth = \"none\"\n"
	flags := func(files ...string) string {
		list := `["` + strings.Join(files, `", "`) + `"]`
		return "cert = " + list + "\nkey = " + list + "\n" + head
	}
	name := newServerFile(t, flags(one))
	r := start(t, nil, "--server-config", name, "-v")
	addr := strings.TrimPrefix(r.url(t), "ftp://")
	is := func(host, want string) {
		t.Helper()
		if got, _ := certificateShown(t, addr, host); got != want {
			t.Errorf("a client that asks for %s sees the certificate of %s, want %s", host, got, want)
		}
	}
	is("two.example.org", "one.example.org")
	_, conn := certificateShown(t, addr, "one.example.org")
	there := client{textproto.NewConn(conn), t, "127.0.0.1"}

	serverFile(t, name, flags(one, two))
	r.signals <- syscall.SIGHUP
	r.waitFor(t, `changed="cert key"`)
	is("two.example.org", "two.example.org")
	is("one.example.org", "one.example.org")
	there.cmd(331, "USER bob")

	serverFile(t, name, flags(one, filepath.Join(t.TempDir(), "missing")))
	r.signals <- syscall.SIGHUP
	r.waitFor(t, "the server configuration stays as it was")
	is("two.example.org", "two.example.org")

	serverFile(t, name, "max-sessions = 50\n"+flags(three))
	r.signals <- syscall.SIGHUP
	r.waitFor(t, `changed="cert key max-sessions"`)
	is("one.example.org", "three.example.org")
	if logged := r.logged(); strings.Contains(logged, "restart ferry") {
		t.Errorf("a restart is asked for:\n%s", logged)
	}

	text, err := os.ReadFile(hostFile(t, "four.example.org"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(three, text, 0o600); err != nil {
		t.Fatal(err)
	}
	r.waitFor(t, "certificate reloaded")
	is("one.example.org", "four.example.org")

	serverFile(t, name, "tls = \"off\"\n"+head)
	r.signals <- syscall.SIGHUP
	r.waitFor(t, `flags="cert key"`)
	is("one.example.org", "four.example.org")
}
