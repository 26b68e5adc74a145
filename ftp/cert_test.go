package ftp

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// writePair writes a certificate for host, and its key, into two files.
func writePair(t *testing.T, certFile, keyFile, host string) {
	t.Helper()
	_, text, err := generate([]string{host}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	cert, key, _ := bytes.Cut(text, []byte("-----BEGIN PRIVATE"))
	if err := errors.Join(os.WriteFile(certFile, cert, 0o600),
		os.WriteFile(keyFile, append([]byte("-----BEGIN PRIVATE"), key...), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func hostOf(t *testing.T, k *KeyPair) string {
	t.Helper()
	cert, err := k.GetCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	return cert.Leaf.Subject.CommonName
}

func TestCertificateIsReloaded(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	if _, err := LoadCertificate(certFile, keyFile); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("files that are missing: %v", err)
	}
	writePair(t, certFile, keyFile, "one")
	k, err := LoadCertificate(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	writePair(t, certFile, keyFile, "two")
	if err := k.Reload(); err != nil || hostOf(t, k) != "two" {
		t.Errorf("%v, %s", err, hostOf(t, k))
	}
	if err := os.WriteFile(certFile, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := k.Reload(); err == nil || hostOf(t, k) != "two" {
		t.Errorf("a broken file: %v, %s", err, hostOf(t, k))
	}
}

func TestRunNoticesNewCertificates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		certFile, keyFile := filepath.Join(dir, "cert"), filepath.Join(dir, "key")
		writePair(t, certFile, keyFile, "one")
		k, err := LoadCertificate(certFile, keyFile)
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		k.Log = slog.New(slog.NewTextHandler(&log, nil))
		cause := errors.New("cause")
		ctx, cancel := context.WithCancelCause(t.Context())
		ended := make(chan error)
		go func() { ended <- k.Run(ctx) }()
		pass := func() {
			time.Sleep(3 * reloadEvery)
			synctest.Wait()
		}
		pass()
		if log.Len() > 0 {
			t.Errorf("nothing changed, and the log says %s", &log)
		}
		if err := os.WriteFile(certFile, []byte("broken"), 0o600); err != nil {
			t.Fatal(err)
		}
		pass()
		if n := strings.Count(log.String(), "keeping the old certificate"); n != 1 || hostOf(t, k) != "one" {
			t.Errorf("a broken file: told %d times, %s", n, hostOf(t, k))
		}
		if err := os.Remove(keyFile); err != nil {
			t.Fatal(err)
		}
		pass()
		writePair(t, certFile, keyFile, "another")
		pass()
		if n := strings.Count(log.String(), "certificate reloaded"); n != 1 || hostOf(t, k) != "another" {
			t.Errorf("a new pair: told %d times, %s", n, hostOf(t, k))
		}
		cancel(cause)
		if err := <-ended; err != cause {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestSelfSignedIsMadeOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "directory")
	certFile, keyFile, fingerprint, err := SelfSigned(dir, []string{"ftp.example", "192.0.2.1", "2001:db8::1"})
	if err != nil {
		t.Fatal(err)
	}
	if parts := strings.Split(fingerprint, ":"); len(parts) != 32 || len(fingerprint) != 95 {
		t.Errorf("fingerprint %q", fingerprint)
	}
	if fi, err := os.Stat(keyFile); err != nil || runtime.GOOS != "windows" && fi.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", fi.Mode(), err)
	}
	if fi, err := os.Stat(dir); err != nil || runtime.GOOS != "windows" && fi.Mode().Perm() != 0o700 {
		t.Errorf("the directory: %v, %v", fi.Mode(), err)
	}
	k, err := LoadCertificate(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	leaf := k.current.Load().Leaf
	roots.AddCert(leaf)
	for _, host := range []string{"ftp.example", "192.0.2.1", "2001:db8::1"} {
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: host}); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	if _, _, again, err := SelfSigned(dir, []string{"other.example"}); err != nil || again != fingerprint {
		t.Errorf("the second time: %s, %v; first %s", again, err, fingerprint)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 1 {
		t.Errorf("the directory holds %v, %v", names, err)
	}
}

func TestSelfSignedIsRenewed(t *testing.T) {
	dir := t.TempDir()
	certFile, _, first, err := SelfSigned(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	old, text, err := generate(nil, time.Now().Add(-selfSignedLife-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"expired": text, "broken": []byte("broken")} {
		if err := os.WriteFile(certFile, content, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, fingerprint, err := SelfSigned(dir, nil)
		if err != nil || fingerprint == first || fingerprint == fingerprintOf(old) {
			t.Errorf("%s: %s, %v", name, fingerprint, err)
		}
	}
	if _, _, _, err := SelfSigned(filepath.Join(certFile, "below a file"), nil); err == nil {
		t.Error("a directory that cannot be made was made")
	}
}
