package ftp_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"sync/atomic"
	"testing"
	"time"

	"ferry/ftp"
	"ferry/remote/driver/memory"
)

// limitedTree is a tree with limits. Its abilities are not passed on.
type limitedTree struct {
	ftp.FS
	limits ftp.Limits
}

func (f limitedTree) Limits() ftp.Limits { return f.limits }

// limitedBackend gives the trees of another Backend limits, and knows bob by his certificate.
type limitedBackend struct {
	ftp.Backend
	limits ftp.Limits
	failed error // of a login by certificate; nil = bob may
}

func (b limitedBackend) Login(ctx context.Context, c ftp.Client, user, password string) (ftp.FS, error) {
	tree, err := b.Backend.Login(ctx, c, user, password)
	if err != nil {
		return nil, err
	}
	return limitedTree{tree, b.limits}, nil
}

func (b limitedBackend) LoginByCertificate(ctx context.Context, c ftp.Client, user string) (ftp.FS, error) {
	if b.failed != nil {
		return nil, b.failed
	}
	if user != "bob" || c.Certificates[0].Subject.CommonName != "bob" {
		return nil, ftp.ErrDenied
	}
	return b.Login(ctx, c, user, "")
}

// limit gives every session of s limits.
func limit(limits ftp.Limits) func(s *ftp.Server) {
	return func(s *ftp.Server) { s.Backend = limitedBackend{Backend: s.Backend, limits: limits} }
}

func TestASessionStartsWhereItsLimitsSay(t *testing.T) {
	for start, want := range map[string]string{"/in": "/in", "in": "/in", "": "/", "/none": "/", "/file": "/", "../..": "/"} {
		d := talk(t, memory.New(), limit(ftp.Limits{Start: start}))
		d.steps("> MKD /in", "<< 257", "passive", "> STOR /file", "<< 150", "send x", "<< 226",
			"reconnect", "login", "> PWD", `< 257 "`+want+`"*`)
	}
}

func TestTooManyTransfersAreAnswered450(t *testing.T) {
	var running atomic.Int32
	begin := func() (func(), error) {
		if running.Load() > 0 {
			return nil, errors.New("as many as are allowed")
		}
		running.Add(1)
		return func() { running.Add(-1) }, nil
	}
	d := talk(t, memory.New(), limit(ftp.Limits{Transfer: begin}))
	d.steps("passive", "> STOR a", "<< 150", "send hello", "<< 226", "passive", "> NLST", "<< 150", `recv a\r\n`, "<< 226",
		"passive", "> RETR none", "<< 550")
	if n := running.Load(); n != 0 {
		t.Fatalf("%d transfers have not ended", n)
	}
	running.Store(1)
	d.steps("passive", "> RETR a", "<< 450", "passive", "> STOR b", "<< 450", "passive", "> NLST", "<< 450", "> SIZE b", "<< 550")
	running.Store(0)
	d.steps("passive", "> RETR a", "<< 150", "recv hello", "<< 226")
}

func TestADismissedSessionEnds(t *testing.T) {
	srv := newServer(t, memory.New(), nil)
	overPipe(t, srv, func(d *dialogue) {
		if srv.Dismiss(4711) {
			t.Error("a session that is not there was dismissed")
		}
		if !srv.Dismiss(srv.Sessions()[0].ID) {
			t.Error("the session is not found")
		}
		d.steps("< 421 What you may do has changed; log in again.", "closed")
	})
}

func TestATransferOfADismissedSessionEndsFirst(t *testing.T) {
	var srv *ftp.Server
	d := talk(t, memory.New(), func(s *ftp.Server) { srv = s })
	d.steps("passive", "> STOR a", "<< 150", "put hello")
	srv.Dismiss(srv.Sessions()[0].ID)
	d.steps("send , world", "<< 226", "< 421 What you may do*", "file a hello, world")
}

func TestALimitRefusesDataConnectionsInClear(t *testing.T) {
	srv := newServer(t, memory.New(), map[string]bool{"tls": true})
	limit(ftp.Limits{Private: true})(srv)
	d := &dialogue{t: t, where: t.Name(), addr: serveOn(t, srv, "127.0.0.1:0")}
	d.connect()
	t.Cleanup(d.hangUp)
	d.steps("> AUTH TLS", "<< 234", "secure", "> PBSZ 0", "<< 200", "> PROT C", "<< 200", "> USER bob", "<< 331", "> PASS x", "<< 230",
		"passive", "> STOR f", "<< 521", "passive", "> MLSD", "<< 521", "> PROT C", "<< 534",
		"> PROT P", "<< 200", "passive", "> STOR f", "<< 150")
}

func TestTheIdleTimeoutOfALimit(t *testing.T) {
	srv := newServer(t, memory.New(), nil)
	limit(ftp.Limits{Idle: time.Hour})(srv)
	overPipe(t, srv, func(d *dialogue) {
		time.Sleep(59 * time.Minute)
		d.steps("> NOOP", "<< 200")
		began := time.Now()
		d.steps("<< 421")
		if took := time.Since(began); took < 59*time.Minute || took > 61*time.Minute {
			t.Errorf("it ended after %v", took)
		}
	})
}

func TestACertificateLogsIn(t *testing.T) {
	cert, parsed := clientCertificate(t, "bob")
	stranger, _ := clientCertificate(t, "bob")
	known := x509.NewCertPool()
	known.AddCert(parsed)
	for _, c := range []struct {
		name   string
		certs  []tls.Certificate
		failed error
		user   string
		want   []string
	}{
		{"his own", []tls.Certificate{cert}, nil, "bob", []string{"<< 232", "> PWD", "<< 257"}},
		{"of another name", []tls.Certificate{cert}, nil, "alice", []string{"<< 331"}},
		{"none", nil, nil, "bob", []string{"<< 331"}},
		{"one that cannot be checked", []tls.Certificate{cert}, errors.New("no answer"), "bob", []string{"<< 421", "closed"}},
		{"one that nobody has signed", []tls.Certificate{stranger}, nil, "bob", []string{"closed"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := newServer(t, memory.New(), map[string]bool{"tls": true})
			srv.TLS.ClientCAs, srv.TLS.ClientAuth = known, tls.VerifyClientCertIfGiven
			srv.Backend = limitedBackend{Backend: srv.Backend, failed: c.failed}
			d := &dialogue{t: t, where: t.Name(), addr: serveOn(t, srv, "127.0.0.1:0")}
			d.connect()
			t.Cleanup(d.hangUp)
			d.steps("> AUTH TLS", "<< 234")
			conn := tls.Client(d.raw, &tls.Config{InsecureSkipVerify: true, Certificates: c.certs})
			if err := conn.Handshake(); err != nil {
				t.Fatal(err)
			}
			d.conn = conn
			d.resetReader()
			// Over TLS 1.3 the client learns later that its certificate is refused.
			if c.want[0] != "closed" {
				d.steps("> USER " + c.user)
			}
			d.steps(c.want...)
		})
	}
}

// clientCertificate makes a certificate that signs itself.
func clientCertificate(t *testing.T, name string) (tls.Certificate, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, cert
}
