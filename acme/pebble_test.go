package acme_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry/acme"
	"ferry/acme/acmetest"
	"ferry/events"
	"ferry/remote/remotetest/servers"
)

// A run is a Manager that runs.
type run struct {
	*acme.Manager
	t         *testing.T
	installed chan *tls.Certificate
	events    *recorder
	stop      func()
}

// recorder keeps what it hears.
type recorder struct {
	mu   sync.Mutex
	all  []events.Event // guarded by mu
	told chan events.Event
}

func (r *recorder) Record(_ context.Context, e *events.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, *e)
	r.told <- *e
	return nil
}

// start runs a Manager that asks a, with the options that change leaves.
func start(t *testing.T, a *acmetest.Authority, dir string, change func(*acme.Options)) *run {
	t.Helper()
	r := &run{t: t, installed: make(chan *tls.Certificate, 16), events: &recorder{told: make(chan events.Event, 64)}}
	o := acme.Options{
		Names: []string{"ftp.example.org"}, Email: "admin@example.org", CA: a.Directory, Roots: a.Roots, Dir: dir,
		HTTPAddr: a.HTTPAddr, TLSALPNAddr: a.TLSAddr, Listen: acmetest.Listen, Resolvers: []string{a.DNS.Addr},
		Events: events.New(events.Subscription{Kinds: events.All, Listener: r.events}),
	}
	if change != nil {
		change(&o)
	}
	m, err := acme.New(o)
	if err != nil {
		t.Fatal(err)
	}
	r.Manager = m
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx, func(_ string, c *tls.Certificate) { r.installed <- c }) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(r.stop)
	return r
}

// certificate waits for the next one, and checks that a's authority has issued it for name.
func (r *run) certificate(a *acmetest.Authority, name string) *tls.Certificate {
	r.t.Helper()
	for {
		select {
		case c := <-r.installed:
			if _, err := c.Leaf.Verify(x509.VerifyOptions{Roots: a.Issued, DNSName: name, Intermediates: intermediates(r.t, c)}); err != nil {
				r.t.Fatal(err)
			}
			return c
		case e := <-r.events.told:
			if e.Result != events.OK {
				r.t.Fatalf("no certificate: %s", e.Cause)
			}
		case <-time.After(30 * time.Second):
			r.t.Fatal("no certificate in time")
		}
	}
}

// event waits for the next one.
func (r *run) event() events.Event {
	r.t.Helper()
	select {
	case e := <-r.events.told:
		if e.Kind != events.CertRenewed || e.Path != r.Names()[0] {
			r.t.Errorf("the event is %+v", e)
		}
		return e
	case <-time.After(30 * time.Second):
		r.t.Fatal("no event in time")
	}
	return events.Event{}
}

func intermediates(t *testing.T, c *tls.Certificate) *x509.CertPool {
	t.Helper()
	pool := x509.NewCertPool()
	for _, der := range c.Certificate[1:] {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		pool.AddCert(cert)
	}
	return pool
}

// closed reports whether nothing listens at addr.
func closed(addr string) bool {
	conn, err := net.Dial("tcp", addr)
	if err == nil {
		conn.Close()
	}
	return err != nil
}

// Each of the two challenges that need a port gets a certificate, listens for no longer than it
// takes, and leaves private files and no goroutine.
func TestChallengesOfPorts(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*acme.Options)
	}{
		{"HTTP-01", func(o *acme.Options) { o.TLSALPNAddr = "" }},
		{"TLS-ALPN-01", func(o *acme.Options) { o.HTTPAddr = "" }},
		{"RSA", func(o *acme.Options) { o.KeyType = acme.KeyRSA2048 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := acmetest.New(t, acmetest.Options{})
			dir := filepath.Join(t.TempDir(), "acme")
			r := start(t, a, dir, tt.change)
			if c := r.Certificate("ftp.example.org"); c == nil || c.Leaf.VerifyHostname("ftp.example.org") != nil || c.Leaf.Issuer.CommonName == "" {
				t.Error("there is no stand-in before the first certificate")
			}
			c := r.certificate(a, "ftp.example.org")
			if rsa := c.Leaf.PublicKeyAlgorithm == x509.RSA; rsa != (tt.name == "RSA") {
				t.Errorf("the key is %v", c.Leaf.PublicKeyAlgorithm)
			}
			e := r.event()
			if e.Result != events.OK || !e.ModTime.Equal(c.Leaf.NotAfter) {
				t.Errorf("the event is %+v", e)
			}
			if s := r.Status()[0]; s.StandIn || !s.Expires.Equal(c.Leaf.NotAfter) || s.Error != "" || !s.Renew.Before(s.Expires) || s.Renew.Before(time.Now()) {
				t.Errorf("the status is %+v", s)
			}
			if !closed(a.HTTPAddr) || !closed(a.TLSAddr) {
				t.Error("it still listens")
			}
			r.stop()
			private(t, dir)
			noGoroutine(t)
		})
	}
}

// private checks that nobody else may read what is stored.
func private(t *testing.T, dir string) {
	t.Helper()
	keys := 0
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
		if strings.HasSuffix(name, ".key") {
			keys++
		}
		return err
	})
	if err != nil || keys != 2 {
		t.Errorf("%d keys, want that of the account and that of the certificate; %v", keys, err)
	}
}

// noGoroutine waits until none of the package and its libraries is left. That which keeps the file
// of a lock fresh looks every five seconds whether it is still there.
func noGoroutine(t *testing.T) {
	t.Helper()
	left := ""
	for range 70 {
		buf := make([]byte, 1<<20)
		all := strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n")
		left = strings.Join(slices.DeleteFunc(all, func(g string) bool {
			mine := strings.Contains(g, "ferry/acme.") || strings.Contains(g, "certmagic") || strings.Contains(g, "acmez")
			return !mine || strings.Contains(g, "keepLockfileFresh")
		}), "\n\n")
		if left == "" {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("goroutines are left:\n%s", left)
}

// A later process uses what is stored and asks nobody.
func TestStoredCertificate(t *testing.T) {
	t.Parallel()
	a := acmetest.New(t, acmetest.Options{})
	dir := t.TempDir()
	r := start(t, a, dir, nil)
	c := r.certificate(a, "ftp.example.org")
	r.stop()
	orders := a.Orders()
	a.SetAway(true)
	r = start(t, a, dir, nil)
	if got := r.Certificate("ftp.example.org"); !got.Leaf.Equal(c.Leaf) {
		t.Errorf("it shows %v", got.Leaf.Subject)
	}
	r.stop()
	if a.Orders() != orders {
		t.Errorf("it asked for %d certificates", a.Orders()-orders)
	}
}

// The authority is away at the start and comes back: the failure is told, and Retry asks again.
func TestAuthorityAway(t *testing.T) {
	t.Parallel()
	a := acmetest.New(t, acmetest.Options{})
	a.SetAway(true)
	r := start(t, a, t.TempDir(), nil)
	e := r.event()
	if e.Result != events.Failed || !strings.Contains(e.Cause, "see whether this machine reaches the authority") {
		t.Errorf("the event is %+v", e)
	}
	if s := r.Status()[0]; !s.StandIn || s.Error == "" || time.Until(s.Next) > time.Minute || time.Until(s.Next) < time.Second {
		t.Errorf("the status is %+v", s)
	}
	a.SetAway(false)
	r.Retry()
	r.certificate(a, "ftp.example.org")
	if s := r.Status()[0]; s.StandIn || s.Error != "" {
		t.Errorf("the status is %+v", s)
	}
}

// An authority that refuses many requests for their nonce is asked until it does not.
func TestNonceRejects(t *testing.T) {
	a := acmetest.New(t, acmetest.Options{NonceRejects: 50})
	start(t, a, t.TempDir(), nil).certificate(a, "ftp.example.org")
}

// Where one port cannot be had, the other challenge is used.
func TestOtherChallenge(t *testing.T) {
	t.Parallel()
	a := acmetest.New(t, acmetest.Options{})
	taken, err := net.Listen("tcp", a.HTTPAddr)
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	start(t, a, t.TempDir(), nil).certificate(a, "ftp.example.org")
}

// What a person reads who gets no certificate.
func TestErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		prepare func(*testing.T, *acmetest.Authority, *acme.Options)
		want    []string
	}{
		{"port in use", func(t *testing.T, a *acmetest.Authority, o *acme.Options) {
			l, err := net.Listen("tcp", o.HTTPAddr)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
			o.TLSALPNAddr = ""
		}, []string{"http-01: listening on 127.0.0.1:", "address already in use", "--acme-http-addr"}},
		{"nobody can reach the port", func(t *testing.T, _ *acmetest.Authority, o *acme.Options) {
			o.HTTPAddr, o.TLSALPNAddr = fmt.Sprintf("127.0.0.1:%d", servers.FreePort(t)), fmt.Sprintf("127.0.0.1:%d", servers.FreePort(t))
		}, []string{"http-01: the authority answers", "(connection)", "let port 80", "tls-alpn-01: ", "port 443"}},
		{"blocked name", func(_ *testing.T, _ *acmetest.Authority, o *acme.Options) {
			o.Names = []string{"ftp.blocked.example"}
		}, []string{"(rejectedIdentifier)", "another --acme-ca"}},
		{"limit", func(_ *testing.T, a *acmetest.Authority, _ *acme.Options) { a.SetLimit(7200) }, []string{"(rateLimited)", "ferry waits", "not before 20"}},
		{"no space", func(t *testing.T, _ *acmetest.Authority, o *acme.Options) {
			o.Dir = filepath.Join(t.TempDir(), "file", "acme")
			if err := os.WriteFile(filepath.Dir(o.Dir), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, []string{"--cache-dir"}},
		{"an update that is not signed", func(_ *testing.T, a *acmetest.Authority, o *acme.Options) {
			o.Names, o.DNS = []string{"*.offered.example.org"}, acme.NewUpdater(a.DNS.Addr, acme.TSIG{})
		}, []string{"dns-01: ", "NOTAUTH", "see that name, algorithm and secret"}},
		{"unknown root", func(_ *testing.T, _ *acmetest.Authority, o *acme.Options) { o.Roots = x509.NewCertPool() }, []string{"--acme-ca-root"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := acmetest.New(t, acmetest.Options{Blocked: []string{"blocked.example"}})
			r := start(t, a, t.TempDir(), func(o *acme.Options) { tt.prepare(t, a, o) })
			e := r.event()
			if e.Result != events.Failed || e.Path != r.Names()[0] {
				t.Errorf("the event is %+v", e)
			}
			for _, want := range tt.want {
				if !strings.Contains(e.Cause, want) {
					t.Errorf("%q is not in %s", want, e.Cause)
				}
			}
			if s := r.Status()[0]; s.Error != e.Cause {
				t.Errorf("the status has %q, the event %q", s.Error, e.Cause)
			}
		})
	}
}

// An authority that has said to wait is left alone, by a later process too, whoever asks.
func TestLimitIsKept(t *testing.T) {
	t.Parallel()
	a := acmetest.New(t, acmetest.Options{})
	a.SetLimit(7200)
	dir := t.TempDir()
	r := start(t, a, dir, nil)
	r.event()
	orders := a.Orders()
	check := func(r *run) {
		t.Helper()
		if left := time.Until(r.Status()[0].Next); left < 119*time.Minute || left > 121*time.Minute {
			t.Errorf("it tries again in %v", left)
		}
		if a.Orders() != orders {
			t.Errorf("it asked %d times", a.Orders()-orders)
		}
	}
	check(r)
	r.Retry()
	r.stop()
	r = start(t, a, dir, nil)
	r.Retry()
	r.stop()
	check(r)
}

// An authority that has lost its accounts gets a new one, with the same key.
func TestForgottenAccount(t *testing.T) {
	t.Parallel()
	before := acmetest.New(t, acmetest.Options{})
	dir := t.TempDir()
	r := start(t, before, dir, nil)
	r.certificate(before, "ftp.example.org")
	r.stop()
	account := filepath.Join(dir, "accounts")
	names, err := os.ReadDir(account)
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	after := acmetest.New(t, acmetest.Options{})
	fresh := t.TempDir()
	host := strings.TrimSuffix(strings.TrimPrefix(after.Directory, "https://"), "/dir")
	if err := os.CopyFS(filepath.Join(fresh, "accounts", strings.NewReplacer(":", "").Replace(host)+"-dir"), os.DirFS(filepath.Join(account, names[0].Name()))); err != nil {
		t.Fatal(err)
	}
	r = start(t, after, fresh, nil)
	r.certificate(after, "ftp.example.org")
}

// An authority that wants an account of its own is given its number and key.
func TestExternalAccount(t *testing.T) {
	t.Parallel()
	const id, key = "kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
	a := acmetest.New(t, acmetest.Options{EAB: map[string]string{id: key}})
	r := start(t, a, t.TempDir(), nil)
	if e := r.event(); !strings.Contains(e.Cause, "--acme-eab") {
		t.Errorf("without it: %+v", e)
	}
	r.stop()
	start(t, a, t.TempDir(), func(o *acme.Options) { o.External = acme.External{ID: id, Key: key} }).certificate(a, "ftp.example.org")
}
