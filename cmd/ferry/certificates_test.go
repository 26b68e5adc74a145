package main

import (
	"bytes"
	"context"
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
