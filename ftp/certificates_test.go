package ftp_test

import (
	"crypto/tls"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ferry/ftp"
	"ferry/remote/driver/memory"
)

// certificates are those for lists of names with commas between them.
func certificates(t *testing.T, lists ...string) (all ftp.Certificates) {
	t.Helper()
	for _, names := range lists {
		cert, key, _, err := ftp.SelfSigned(t.TempDir(), strings.Split(names, ","))
		if err != nil {
			t.Fatal(err)
		}
		pair, err := ftp.LoadCertificate(cert, key)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, pair)
	}
	return all
}

// namesOf are the names in a certificate.
func namesOf(cs tls.ConnectionState) string {
	leaf := cs.PeerCertificates[0]
	names := leaf.DNSNames
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	return strings.Join(names, ",")
}

// named is what a client does TLS with that calls the server by name, "" for none.
func named(name string) *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, ServerName: name}
}

const (
	mainCert, starCert, oneCert, twoCert, addrCert = "main.example", "*.example.org", "one.example.org", "two.example,www.two.example", "192.0.2.1,2001:db8::1"
)

func allCertificates(t *testing.T) ftp.Certificates {
	return certificates(t, mainCert, starCert, oneCert, twoCert, addrCert)
}

// naming is a session that names the server by HOST before TLS and by SNI, and what it is shown.
func naming(t *testing.T, addr, host, sni string) (d *dialogue, shown string) {
	t.Helper()
	d = &dialogue{t: t, where: host + " " + sni, addr: addr}
	d.connect()
	t.Cleanup(d.hangUp)
	if host != "" {
		d.steps("> HOST "+host, "<< 220")
	}
	d.steps("> AUTH TLS", "<< 234")
	conn := tls.Client(d.raw, named(sni))
	if err := conn.Handshake(); err != nil {
		d.fatalf("%v", err)
	}
	d.conn = conn
	d.resetReader()
	d.private = true
	return d, namesOf(conn.ConnectionState())
}

// The name by SNI chooses the certificate, else the one by HOST before the handshake.
func TestNamesChooseTheCertificate(t *testing.T) {
	srv := newServer(t, memory.New(), map[string]bool{"tls": true})
	srv.TLS = &tls.Config{GetCertificate: allCertificates(t).GetCertificate}
	addr := serveOn(t, srv, "127.0.0.1:0")
	for _, tt := range []struct{ host, sni, want string }{
		{"", "", mainCert},
		{"", "main.example", mainCert},
		{"", "one.example.org", oneCert}, // more exact than *.example.org, which comes before
		{"", "ONE.example.ORG", oneCert},
		{"", "three.example.org", starCert},
		{"", "a.b.example.org", mainCert},
		{"", "www.two.example", twoCert},
		{"", "nobody.example", mainCert},
		{"one.example.org", "", oneCert},
		{"One.Example.Org", "", oneCert},
		{"two.example", "", twoCert},
		{"192.0.2.1", "", addrCert},
		{"[2001:db8::1]", "", addrCert},
		{"nobody.example", "", mainCert},
		{"one.example.org", "two.example", twoCert},
		{"one.example.org", "nobody.example", mainCert},
	} {
		if _, shown := naming(t, addr, tt.host, tt.sni); shown != tt.want {
			t.Errorf("HOST %q, SNI %q: the certificate is for %s, not %s", tt.host, tt.sni, shown, tt.want)
		}
	}
}

// Data connections show the certificate of their control connection, whatever they are called, in
// each mode of resumption, and after the certificate was replaced.
func TestDataConnectionsShowTheSameCertificate(t *testing.T) {
	for _, resume := range []ftp.TLSResume{ftp.ResumeOffer, ftp.ResumeOff} {
		dir := t.TempDir()
		cert, key, _, err := ftp.SelfSigned(dir, []string{twoCert[:11]})
		if err != nil {
			t.Fatal(err)
		}
		changing, err := ftp.LoadCertificate(cert, key)
		if err != nil {
			t.Fatal(err)
		}
		all := append(certificates(t, mainCert, oneCert), changing)
		srv := newServer(t, memory.New(), map[string]bool{"tls": true})
		srv.TLS, srv.DataResume = &tls.Config{GetCertificate: all.GetCertificate}, resume
		addr := serveOn(t, srv, "127.0.0.1:0")
		for _, tt := range []struct{ host, sni, want string }{
			{"", "", mainCert}, {"", "one.example.org", oneCert}, {"one.example.org", "", oneCert}, {"", "two.example", "two.example"},
		} {
			d, shown := naming(t, addr, tt.host, tt.sni)
			if shown != tt.want {
				t.Fatalf("%q %q: the certificate is for %s", tt.host, tt.sni, shown)
			}
			d.steps("login", "> PBSZ 0", "<< 200", "> PROT P", "<< 200")
			if tt.sni == "two.example" {
				if err := os.Remove(filepath.Join(dir, filepath.Base(cert))); err != nil {
					t.Fatal(err)
				}
				if _, _, _, err := ftp.SelfSigned(dir, []string{"two.example", "new.example"}); err != nil {
					t.Fatal(err)
				}
				if err := all.Reload(); err != nil {
					t.Fatal(err)
				}
			}
			for _, sni := range []string{"", "main.example", "one.example.org", "two.example"} {
				conn, err := net.Dial("tcp", d.arrange())
				if err != nil {
					t.Fatal(err)
				}
				conn.SetDeadline(time.Now().Add(time.Minute))
				d.steps("> NLST", "<< 150")
				data := tls.Client(conn, named(sni))
				if _, err := io.ReadAll(data); err != nil {
					t.Fatal(err)
				}
				if shown := namesOf(data.ConnectionState()); shown != tt.want {
					t.Errorf("control %q, data %q: the certificate is for %s", tt.sni, sni, shown)
				}
				data.Close()
				d.steps("<< 226")
			}
		}
		if _, shown := naming(t, addr, "", "new.example"); shown != "two.example,new.example" {
			t.Errorf("the certificate that was read again is for %s", shown)
		}
	}
}

// HOST under TLS is accepted, but for a host with another certificate than the client has asked
// for.
func TestHostUnderTLS(t *testing.T) {
	srv := newServer(t, memory.New(), map[string]bool{"tls": true})
	srv.TLS = &tls.Config{GetCertificate: allCertificates(t).GetCertificate}
	addr := serveOn(t, srv, "127.0.0.1:0")
	for _, tt := range []struct{ sni, host, code string }{
		{"two.example", "two.example", "220"},
		{"two.example", "WWW.two.example", "220"}, // the same certificate
		{"two.example", "one.example.org", "504"},
		{"two.example", "192.0.2.1", "504"},
		{"two.example", "nobody.example", "220"},
		{"nobody.example", "one.example.org", "504"},
		{"", "one.example.org", "220"},
	} {
		d, _ := naming(t, addr, "", tt.sni)
		d.steps("> HOST "+tt.host, "<< "+tt.code, "login")
	}
}

// Implicit TLS knows a name by SNI only.
func TestNamesUnderImplicitTLS(t *testing.T) {
	srv := newServer(t, memory.New(), map[string]bool{"tls": true})
	srv.TLS = &tls.Config{GetCertificate: allCertificates(t).GetCertificate}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.ServeTLS(t.Context(), l) }()
	defer func() { srv.Close(); <-served }()
	for sni, want := range map[string]string{"": mainCert, "one.example.org": oneCert, "nobody.example": mainCert} {
		conn, err := tls.Dial("tcp", l.Addr().String(), named(sni))
		if err != nil {
			t.Fatal(err)
		}
		if shown := namesOf(conn.ConnectionState()); shown != want {
			t.Errorf("SNI %q: the certificate is for %s", sni, shown)
		}
		conn.Close()
	}
}
