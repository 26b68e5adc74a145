// Package acmetest is an authority for tests: Pebble, that of Let's Encrypt for tests of clients,
// within the process, with a DNS of its own. Every name leads to this machine.
package acmetest

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"

	"ferry/remote/remotetest/servers"
)

// Options are what a test wants of an authority.
type Options struct {
	// NonceRejects is how many of 100 requests are refused for their nonce. Pebble reads it from
	// the environment: such a test is not parallel to others.
	NonceRejects int
	Validity     time.Duration // of certificates; 0 = years
	Blocked      []string      // domains that it has no certificates for
	EAB          map[string]string
}

// An Authority runs until the test ends.
type Authority struct {
	Directory string         // its URL
	Roots     *x509.CertPool // of the authority's own web server: what a client of it has to trust
	RootFile  string         // the same as a file
	Issued    *x509.CertPool // that vouches for its certificates
	HTTPAddr  string         // host:port; where it comes to for HTTP-01
	TLSAddr   string         // and for TLS-ALPN-01
	DNS       *DNS

	orders  atomic.Int64
	away    atomic.Bool
	limited atomic.Int64 // seconds
	issued  string       // PEM
}

// New starts an authority.
func New(t testing.TB, o Options) *Authority {
	t.Helper()
	httpPort, tlsPort := servers.FreePort(t), servers.FreePort(t)
	a := &Authority{DNS: NewDNS(t), HTTPAddr: fmt.Sprintf("127.0.0.1:%d", httpPort), TLSAddr: fmt.Sprintf("127.0.0.1:%d", tlsPort)}
	handler := a.pebble(t, o, httpPort, tlsPort)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.serve(w, r, handler) }))
	t.Cleanup(server.Close)
	a.Directory = server.URL + wfe.DirectoryPath
	a.Roots = x509.NewCertPool()
	a.Roots.AddCert(server.Certificate())
	a.RootFile = filepath.Join(t.TempDir(), "root.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(a.RootFile, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

// pebble returns what Pebble serves.
func (a *Authority) pebble(t testing.TB, o Options, httpPort, tlsPort int) http.Handler {
	for name, value := range map[string]string{
		"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": strconv.Itoa(o.NonceRejects), "PEBBLE_AUTHZREUSE": "0",
	} {
		if err := os.Setenv(name, value); err != nil {
			t.Fatal(err)
		}
	}
	quiet := log.New(io.Discard, "", 0)
	store := db.NewMemoryStore()
	for _, domain := range o.Blocked {
		if err := store.AddBlockedDomain(domain); err != nil {
			t.Fatal(err)
		}
	}
	for id, key := range o.EAB {
		if err := store.AddExternalAccountKeyByID(id, key); err != nil {
			t.Fatal(err)
		}
	}
	profiles := map[string]ca.Profile{"default": {Description: "for tests", ValidityPeriod: uint64(o.Validity / time.Second)}}
	authority := ca.New(quiet, store, "", "ecdsa", 0, 1, profiles)
	checks := va.New(quiet, httpPort, tlsPort, false, a.DNS.Addr, store)
	front := wfe.New(quiet, store, checks, authority, []string{"ca.example"}, false, len(o.EAB) > 0, 0, 1)
	a.issued = string(authority.GetRootCert(0).PEM())
	a.Issued = x509.NewCertPool()
	a.Issued.AppendCertsFromPEM([]byte(a.issued))
	return front.Handler()
}

func (a *Authority) serve(w http.ResponseWriter, r *http.Request, pebble http.Handler) {
	if strings.HasPrefix(r.URL.Path, "/order-plz") {
		a.orders.Add(1)
		if seconds := a.limited.Load(); seconds > 0 {
			w.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = io.WriteString(w, `{"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many certificates","status":429}`)
			return
		}
	}
	if a.away.Load() {
		panic(http.ErrAbortHandler)
	}
	pebble.ServeHTTP(w, r)
}

// Orders is how many certificates it was asked for.
func (a *Authority) Orders() int64 { return a.orders.Load() }

// SetAway has it answer nothing, or answer again.
func (a *Authority) SetAway(away bool) { a.away.Store(away) }

// SetLimit has it refuse orders, and say that they may come again after so many seconds; 0 ends it.
func (a *Authority) SetLimit(seconds int64) { a.limited.Store(seconds) }

// IssuedRoot writes the certificate that vouches for those that it issues to a file.
func (a *Authority) IssuedRoot(t testing.TB) string {
	name := filepath.Join(t.TempDir(), "issued.pem")
	if err := os.WriteFile(name, []byte(a.issued), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// Listen is for acme.Options.
func Listen(ctx context.Context, addr string) ([]net.Listener, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return []net.Listener{l}, nil
}
