package test

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestSIGHUPReloadsTheCertificate(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	first, err := writeCertificate(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	p, addr := serve(t, t.TempDir(), "--cert", certFile, "--key", keyFile, "-v")
	old := connect(t, "", addr)
	if got := old.secure().PeerCertificates[0].SerialNumber; got.Cmp(first) != 0 {
		t.Fatalf("serial number %v, want %v", got, first)
	}
	second, err := writeCertificate(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	signal(t, p, syscall.SIGHUP)
	if err := p.log.waitForLine(`the certificate again`); err != nil {
		t.Fatal(err)
	}
	if got := connect(t, "", addr).secure().PeerCertificates[0].SerialNumber; got.Cmp(second) != 0 {
		t.Errorf("serial number %v after SIGHUP, want %v", got, second)
	}
	old.do("NOOP", 200) // sessions go on
}

func TestSelfSignedCertificateIsKeptAndAnnounced(t *testing.T) {
	cache := t.TempDir()
	var fingerprints []string
	for range 2 {
		p, addr := serve(t, t.TempDir(), "--tls", "self-signed", "--cache-dir", cache)
		cert := connect(t, "", addr).secure().PeerCertificates[0]
		sum := sha256.Sum256(cert.Raw)
		fingerprint := hex.EncodeToString(sum[:])
		fingerprints = append(fingerprints, fingerprint)
		said := strings.ToLower(strings.ReplaceAll(p.log.String(), ":", ""))
		if !strings.Contains(said, fingerprint) {
			t.Errorf("the log does not show the fingerprint %s", fingerprint)
		}
		if err := cert.VerifyHostname("localhost"); err != nil {
			t.Error(err)
		}
		p.kill()
	}
	if fingerprints[0] != fingerprints[1] {
		t.Error("a second start made another certificate")
	}
}

func TestMinimumTLSVersion(t *testing.T) {
	_, addr := serve(t, t.TempDir(), "--tls", "self-signed", "--cache-dir", t.TempDir(), "--min-tls-version", "1.3")
	c := connect(t, "", addr)
	c.do("AUTH TLS", 234)
	conn := tls.Client(c.conn, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12})
	if err := conn.Handshake(); err == nil {
		t.Error("TLS 1.2 was accepted")
	}
}

// No password is in the log, however it came and whatever the log level.
func TestLogHoldsNoSecrets(t *testing.T) {
	t.Parallel() // it mostly waits
	for _, format := range []string{"text", "json"} {
		p, addr := serve(t, t.TempDir(), "-vv", "--log-format", format, "--tls", "self-signed", "--cache-dir", t.TempDir())
		secrets := []string{"builder", "hunter2-wrong", "hunter3-early", "hunter4-lower", "hunter5-pipelined", "hunter6-account"}
		c := connect(t, "", addr)
		c.do("PASS hunter3-early", 503)
		c.do("USER bob", 331)
		c.do("PASS hunter2-wrong", 530)
		c.do("USER bob", 331)
		c.do("pass hunter4-lower", 530)
		c.do("ACCT hunter6-account", 202, 230, 500, 502, 503, 530)
		c.send("USER bob\r\nPASS hunter5-pipelined")
		c.expect(331)
		c.expect(530)
		login(t, "", addr).do("QUIT", 221)
		if code, err := p.stop(); err != nil || code != 0 {
			t.Errorf("exit status %d, %v", code, err)
		}
		text := p.log.String()
		if !strings.Contains(text, "USER") || !strings.Contains(text, "bob") {
			t.Errorf("the log holds no commands:\n%s", text)
		}
		for _, s := range secrets {
			if strings.Contains(text, s) {
				t.Errorf("the %s log holds the password %s", format, s)
			}
		}
	}
}
