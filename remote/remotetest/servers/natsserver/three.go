package natsserver

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"ferry/remote/remotetest/servers"
)

// Three are servers that are one cluster of NATS. Clients speak TLS with them, and have
// credentials.
type Three struct {
	Servers [3]*Server
	Creds   string // file of credentials, as nsc makes them
	CA      string // file of the certificate (PEM)
}

// StartThree starts a cluster, which ends with the test.
func StartThree(t testing.TB) *Three {
	t.Helper()
	dir := t.TempDir()
	c := &Three{Creds: filepath.Join(dir, "ferry.creds"), CA: filepath.Join(dir, "ca.pem")}
	certificate := serverCertificate()
	write(t, c.CA, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]}))
	o := newOperator(t)
	write(t, c.Creds, o.user(t, o.account))
	first := servers.FreePorts(t, len(c.Servers))
	var routes []*url.URL
	for i := range c.Servers {
		routes = append(routes, &url.URL{Scheme: "nats-route", Host: fmt.Sprintf("127.0.0.1:%d", first+i)})
	}
	for i := range c.Servers {
		s := newServer(t, func(so *server.Options) {
			so.ServerName = fmt.Sprint("n", i)
			so.Cluster = server.ClusterOpts{Name: "three", Host: "127.0.0.1", Port: first + i}
			so.Routes = routes
			so.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}}
			so.TLSTimeout = startTime.Seconds()
			so.TrustedOperators, so.SystemAccount, so.AccountResolver = o.claims, o.system, o.resolver
		})
		s.launch()
		c.Servers[i] = s
	}
	for _, s := range c.Servers {
		s.await()
	}
	return c
}

// URLs are where the servers listen.
func (c *Three) URLs() []string {
	var all []string
	for _, s := range c.Servers {
		all = append(all, strings.Replace(s.URL(), "nats://", "tls://", 1))
	}
	return all
}

// AwaitAll waits until all three servers take part, and have what was written while one was away.
func (c *Three) AwaitAll(t testing.TB) {
	t.Helper()
	for late := time.Now().Add(startTime); ; time.Sleep(20 * time.Millisecond) {
		ready := 0
		for _, s := range c.Servers {
			answer := httptest.NewRecorder()
			s.running.HandleHealthz(answer, httptest.NewRequest(http.MethodGet, "/healthz", nil))
			if answer.Code == http.StatusOK && s.running.NumRoutes() >= len(c.Servers)-1 {
				ready++
			}
		}
		if ready == len(c.Servers) {
			return
		}
		if time.Now().After(late) {
			t.Fatalf("of the servers of NATS %d are ready", ready)
		}
	}
}

// serverCertificate is one that signs itself, for 127.0.0.1.
func serverCertificate() tls.Certificate {
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	return s.TLS.Certificates[0]
}

// An operator signs accounts, whose keys sign users.
type operator struct {
	claims   []*jwt.OperatorClaims
	resolver *server.MemAccResolver
	account  nkeys.KeyPair
	system   string // the account of the servers themselves
}

func newOperator(t testing.TB) *operator {
	t.Helper()
	key := must(nkeys.CreateOperator())(t)
	claims := jwt.NewOperatorClaims(public(t, key))
	must(claims.Encode(key))(t)
	o := &operator{claims: []*jwt.OperatorClaims{claims}, resolver: &server.MemAccResolver{}}
	add := func(limits jwt.JetStreamLimits) nkeys.KeyPair {
		account := must(nkeys.CreateAccount())(t)
		a := jwt.NewAccountClaims(public(t, account))
		a.Limits.JetStreamLimits = limits
		if err := o.resolver.Store(public(t, account), must(a.Encode(key))(t)); err != nil {
			t.Fatal(err)
		}
		return account
	}
	o.system = public(t, add(jwt.JetStreamLimits{}))
	o.account = add(jwt.JetStreamLimits{MemoryStorage: -1, DiskStorage: -1, Streams: -1, Consumer: -1})
	return o
}

// user returns a file of credentials.
func (o *operator) user(t testing.TB, account nkeys.KeyPair) []byte {
	t.Helper()
	key := must(nkeys.CreateUser())(t)
	text := must(jwt.NewUserClaims(public(t, key)).Encode(account))(t)
	return must(jwt.FormatUserConfig(text, must(key.Seed())(t)))(t)
}

func public(t testing.TB, k nkeys.KeyPair) string {
	t.Helper()
	return must(k.PublicKey())(t)
}

// must ends the test on an error.
func must[T any](x T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
}

func write(t testing.TB, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
