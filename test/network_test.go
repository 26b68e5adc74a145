package test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A server whose certificate nobody has signed is reached when the flags say so, and else it is
// told which would.
func TestRemotesWithACertificateOfTheirOwn(t *testing.T) {
	s := httptest.NewTLSServer(http.FileServer(http.Dir(t.TempDir())))
	t.Cleanup(s.Close)
	cert := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(cert, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		env  []string
		args []string
		code int
		says string
	}{
		{"nothing is said", nil, nil, 1, "--ca-cert, or trust any by --no-check-certificate"},
		{"its certificate is named", nil, []string{"--ca-cert", cert}, 0, "reach        ok"},
		{"its certificate is named by rclone's variable", []string{"RCLONE_CA_CERT=" + cert}, nil, 0, "reach        ok"},
		{"anybody is trusted", nil, []string{"--no-check-certificate"}, 0, "reach        ok"},
		{"there is no such file", nil, []string{"--ca-cert", "missing.pem"}, 2, "--ca-cert: open missing.pem"},
		{"half of a pair", nil, []string{"--client-cert", cert}, 2, "--client-key"},
		{"no time", nil, []string{"--ca-cert", cert, "--contimeout", "1ns"}, 1, "does not answer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"check", ":http,url='" + s.URL + "':"}, tt.args...)
			p, err := start(t.TempDir(), append(tt.env, noFile), args...)
			if err != nil {
				t.Fatal(err)
			}
			code, err := p.wait()
			if err != nil || code != tt.code || !strings.Contains(p.log.String(), tt.says) {
				t.Errorf("exit status %d, %v:\n%s", code, err, p.log)
			}
		})
	}
}
