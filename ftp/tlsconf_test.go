package ftp

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// wallet is a client's store of one session. A client that holds on to the first ticket has kept
// set.
type wallet struct {
	session *tls.ClientSessionState
	keep    bool
}

func (w *wallet) Get(string) (*tls.ClientSessionState, bool) { return w.session, w.session != nil }

func (w *wallet) Put(_ string, s *tls.ClientSessionState) {
	if s != nil && (w.session == nil || !w.keep) {
		w.session = s
	}
}

// shake runs a handshake and tells whether it resumed, and what the server made of it.
func shake(t *testing.T, server *tls.Config, version uint16, roots *x509.CertPool, w *wallet) (resumed bool, failure error) {
	t.Helper()
	d, there := channel{local: loopbacks(t)[0]}.connect(t, time.Minute)
	served := make(chan error, 1)
	go func() {
		defer d.tap.Close()
		conn := tls.Server(d.tap, server)
		err := conn.Handshake()
		if err == nil {
			conn.Write([]byte("x"))
		}
		served <- err
	}()
	cfg := &tls.Config{RootCAs: roots, ServerName: "localhost", MaxVersion: version}
	if w != nil {
		cfg.ClientSessionCache = w
	}
	client := tls.Client(there, cfg)
	_, err := io.ReadFull(client, make([]byte, 1)) // takes in the tickets of TLS 1.3 too
	resumed = client.ConnectionState().DidResume
	there.Close()
	if failure = <-served; failure == nil && err != nil {
		t.Fatal(err)
	}
	return resumed, failure
}

func versions(t *testing.T, f func(t *testing.T, version uint16)) {
	for _, v := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(v), func(t *testing.T) { f(t, v) })
	}
}

func TestDataConnectionsResumeTheirControlSession(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		for _, resume := range []TLSResume{ResumeOffer, ResumeRequire} {
			for _, keep := range []bool{false, true} {
				c, roots := testTLS(t, resume)
				w := &wallet{keep: keep}
				if resumed, err := shake(t, c.control(7), version, roots, w); resumed || err != nil {
					t.Fatalf("control: resumed %v, %v", resumed, err)
				}
				for range 3 {
					if resumed, err := shake(t, c.data(7, nil), version, roots, w); !resumed || err != nil {
						t.Errorf("mode %d, keep %v: resumed %v, %v", resume, keep, resumed, err)
					}
				}
			}
		}
	})
}

func TestDataConnectionsOfOthersDoNotResume(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		for _, resume := range []TLSResume{ResumeOffer, ResumeRequire} {
			c, roots := testTLS(t, resume)
			w := &wallet{keep: true}
			if _, err := shake(t, c.control(7), version, roots, w); err != nil {
				t.Fatal(err)
			}
			for name, wallet := range map[string]*wallet{"of another session": w, "without a ticket": nil} {
				resumed, err := shake(t, c.data(8, nil), version, roots, wallet)
				if refused := errors.Is(err, errNotResumed); resumed && err == nil || refused != (resume == ResumeRequire) {
					t.Errorf("mode %d, %s: resumed %v, %v", resume, name, resumed, err)
				}
			}
		}
	})
}

func TestControlConnectionsDoNotResume(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		c, roots := testTLS(t, ResumeOffer)
		w := &wallet{}
		for range 2 {
			if resumed, err := shake(t, c.control(7), version, roots, w); resumed || err != nil {
				t.Errorf("resumed %v, %v", resumed, err)
			}
		}
	})
}

func TestResumptionOff(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		c, roots := testTLS(t, ResumeOff)
		w := &wallet{}
		for range 2 {
			if resumed, err := shake(t, c.data(7, nil), version, roots, w); resumed || err != nil {
				t.Errorf("resumed %v, %v", resumed, err)
			}
		}
		if w.session != nil {
			t.Error("a ticket was issued that nothing accepts")
		}
		if c.control(1) != c.control(2) || c.data(1, nil) != c.data(2, nil) {
			t.Error("sessions have configurations of their own without a need")
		}
	})
}

func TestTicketsSurviveNewKeysAndNotForEver(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		made, roots := testTLS(t, ResumeRequire)
		base := made.base.Clone()
		now := time.Now()
		base.Time = func() time.Time { return now }
		c := newTLSContext(base, ResumeRequire)
		w := &wallet{keep: true}
		if _, err := shake(t, c.control(7), version, roots, w); err != nil {
			t.Fatal(err)
		}
		now = now.Add(25 * time.Hour) // the keys are renewed every day
		if resumed, err := shake(t, c.data(7, nil), version, roots, w); !resumed || err != nil {
			t.Errorf("after a day: resumed %v, %v", resumed, err)
		}
		now = now.Add(8 * 24 * time.Hour)
		if _, err := shake(t, c.data(7, nil), version, roots, w); !errors.Is(err, errNotResumed) {
			t.Errorf("after nine days: %v", err)
		}
	})
}

func TestConfigurationsChosenByClientResumeToo(t *testing.T) {
	made, roots := testTLS(t, ResumeRequire)
	base := &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return made.base, nil }}
	c := newTLSContext(base, ResumeRequire)
	w := &wallet{}
	if _, err := shake(t, c.control(7), tls.VersionTLS13, roots, w); err != nil {
		t.Fatal(err)
	}
	if resumed, err := shake(t, c.data(7, nil), tls.VersionTLS13, roots, w); !resumed || err != nil {
		t.Errorf("resumed %v, %v", resumed, err)
	}
	if _, err := shake(t, c.data(8, nil), tls.VersionTLS13, roots, w); !errors.Is(err, errNotResumed) {
		t.Errorf("another session: %v", err)
	}
}

func TestFurtherVerificationStays(t *testing.T) {
	made, roots := testTLS(t, ResumeRequire)
	base := made.base.Clone()
	verified := 0
	base.VerifyConnection = func(tls.ConnectionState) error { verified++; return nil }
	c := newTLSContext(base, ResumeRequire)
	w := &wallet{}
	if _, err := shake(t, c.control(7), tls.VersionTLS13, roots, w); err != nil {
		t.Fatal(err)
	}
	if resumed, err := shake(t, c.data(7, nil), tls.VersionTLS13, roots, w); !resumed || err != nil || verified != 2 {
		t.Errorf("resumed %v, %v, verified %d times", resumed, err, verified)
	}
}

func TestTheClientIsToldWhyItIsRefused(t *testing.T) {
	c, roots := testTLS(t, ResumeRequire)
	d, client := channel{local: loopbacks(t)[0]}.connect(t, time.Minute)
	told := make(chan error, 1)
	go func() {
		conn := tls.Client(client, &tls.Config{RootCAs: roots, ServerName: "localhost"})
		_, err := conn.Read(make([]byte, 1))
		client.Close()
		told <- err
	}()
	if err := d.secure(t.Context(), c.data(1, nil)); !errors.Is(err, errNotResumed) {
		t.Errorf("secure: %v", err)
	}
	var alert tls.AlertError
	if err := <-told; !errors.As(err, &alert) {
		var op *net.OpError
		if !errors.As(err, &op) || op.Op != "remote error" {
			t.Errorf("the client sees %v", err)
		}
	}
}
