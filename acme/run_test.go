package acme

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3/acme"
)

// A fake is a Manager whose authority is here. Its methods may be called while it runs.
type fake struct {
	*Manager
	t    *testing.T
	life time.Duration // of certificates

	ahead time.Duration // the clock of this machine, of the authority's

	mu       sync.Mutex
	err      error       // guarded by mu: of the next attempts
	attempts []time.Time // guarded by mu
	serial   int64       // guarded by mu
	advice   renewal     // guarded by mu
	asked    int         // guarded by mu: how often for advice
}

func newFake(t *testing.T, dir string, life time.Duration) *fake {
	t.Helper()
	m, err := New(Options{
		Names: []string{"ftp.example.org"}, CA: "https://ca.example/dir", Dir: dir, HTTPAddr: ":80",
		Listen: func(context.Context, string) ([]net.Listener, error) { return nil, errors.New("not here") },
	})
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{Manager: m, t: t, life: life}
	m.obtain, m.renewalInfo = f.give, f.advise
	return f
}

func (f *fake) advise(context.Context, *x509.Certificate) (renewal, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	if f.advice.at.IsZero() {
		return renewal{}, errors.New("no advice")
	}
	return f.advice, nil
}

func (f *fake) give(ctx context.Context, name string, _ *x509.Certificate) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.attempts = append(f.attempts, time.Now())
	if f.err != nil {
		return f.err
	}
	f.serial++
	store(f.t, f.Manager, name, f.serial, f.life, f.ahead)
	return nil
}

// store writes a certificate as certmagic does.
func store(t *testing.T, m *Manager, name string, serial int64, life, ahead time.Duration) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "test"}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-ahead), NotAfter: time.Now().Add(life - ahead),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := certmagic.PEMEncodePrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	chain := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	certName := certmagic.StorageKeys.SiteCert(m.issuerKey(), name)
	if err := errors.Join(m.storage.Store(t.Context(), certmagic.StorageKeys.SitePrivateKey(m.issuerKey(), name), text),
		m.storage.Store(t.Context(), certName, chain)); err != nil {
		t.Fatal(err)
	}
	// The time of files is not virtual.
	if err := os.Chtimes(m.storage.Filename(certName), time.Now(), time.Now()); err != nil {
		t.Fatal(err)
	}
}

// run runs f and returns what stops it, and the serial numbers of what it has installed.
func (f *fake) run() (stop func() []int64) {
	ctx, cancel := context.WithCancel(f.t.Context())
	var installed []int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := f.Run(ctx, func(_ string, c *tls.Certificate) { installed = append(installed, c.Leaf.SerialNumber.Int64()) }); err != nil {
			f.t.Error(err)
		}
	}()
	return func() []int64 {
		cancel()
		<-done
		return installed
	}
}

// Failures are repeated less and less often: an authority that refuses is asked a few times a day,
// one that is not reached at least every hour or so.
func TestFailuresAreNoBusyLoop(t *testing.T) {
	refusal := acme.Problem{Type: acme.ProblemTypeConnection, Status: 400}
	for _, tt := range []struct {
		name               string
		err                error
		firstHour, least   int // attempts
		most               int // in a day
		leastGap, mostIdle time.Duration
	}{
		{"refused", refusal, 2, 6, 10, 15 * time.Minute, 7 * time.Hour},
		{"not reached", errors.New("no route"), 7, 24, 35, 15 * time.Second, 67 * time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t, t.TempDir(), 90*24*time.Hour)
				f.err = tt.err
				stop := f.run()
				time.Sleep(24 * time.Hour)
				stop()
				first := 0
				for i, at := range f.attempts {
					if at.Sub(f.attempts[0]) < time.Hour {
						first++
					}
					if gap := at.Sub(f.attempts[max(0, i-1)]); i > 0 && (gap < tt.leastGap || gap > tt.mostIdle) {
						t.Errorf("the gap before attempt %d is %v", i, gap)
					}
				}
				if n := len(f.attempts); first > tt.firstHour || n < tt.least || n > tt.most {
					t.Errorf("%d attempts in the first hour, %d in a day: %v", first, n, f.attempts)
				}
			})
		})
	}
}

// A certificate is renewed when two thirds of its life are over, or half of a short one; a failure
// leaves the old one in use.
func TestRenewedInTime(t *testing.T) {
	for life, want := range map[time.Duration]time.Duration{12 * 24 * time.Hour: 8 * 24 * time.Hour, 6 * 24 * time.Hour: 3 * 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake(t, t.TempDir(), life)
			stop := f.run()
			time.Sleep(want - time.Minute)
			if len(f.attempts) != 1 {
				t.Fatalf("%d attempts before its time", len(f.attempts))
			}
			f.mu.Lock()
			f.err = errors.New("no route")
			f.mu.Unlock()
			time.Sleep(2 * time.Minute)
			if s := f.Status()[0]; s.StandIn || s.Error == "" || f.Certificate(s.Name).Leaf.SerialNumber.Int64() != 1 {
				t.Errorf("after a failure: %+v", s)
			}
			f.mu.Lock()
			f.err = nil
			f.mu.Unlock()
			time.Sleep(2 * time.Hour)
			if got := stop(); !slices.Equal(got, []int64{1, 2}) {
				t.Errorf("installed %v", got)
			}
		})
	}
}

// The advice of the authority counts, as long as it is for this certificate and not too late.
func TestAdviceIsHeeded(t *testing.T) {
	const day = 24 * time.Hour
	for _, tt := range []struct{ advised, want time.Duration }{{day, day}, {11 * day, 11 * day}, {200 * day, 12*day - 12*day/20}} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake(t, t.TempDir(), 12*day)
			began := time.Now()
			f.advice = renewal{at: began.Add(tt.advised)}
			stop := f.run()
			time.Sleep(tt.want - time.Minute)
			if len(f.attempts) != 1 {
				t.Errorf("%v: %d attempts before", tt.advised, len(f.attempts))
			}
			f.mu.Lock()
			f.advice = renewal{}
			f.mu.Unlock()
			time.Sleep(3 * time.Minute)
			stop()
			if len(f.attempts) != 2 {
				t.Errorf("%v: %d attempts", tt.advised, len(f.attempts))
			}
			if most := int(tt.want/adviceEvery) + 4; f.asked > most {
				t.Errorf("%v: asked %d times for advice, want at most %d", tt.advised, f.asked, most)
			}
		})
	}
}

// An authority that always advises to renew, or a clock that is far ahead of it, does not have it
// asked all the time.
func TestAlwaysDue(t *testing.T) {
	const day = 24 * time.Hour
	for name, change := range map[string]func(*fake){
		"advice": func(f *fake) { f.advice = renewal{at: time.Now().Add(-day)} },
		"clock":  func(f *fake) { f.ahead = 100 * day },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t, t.TempDir(), 90*day)
				change(f)
				stop := f.run()
				time.Sleep(day)
				stop()
				if n := len(f.attempts); n < 3 || n > 5 {
					t.Errorf("%d attempts in a day", n)
				}
			})
		})
	}
}

// What another process has stored is taken over within a minute or so.
func TestTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		f := newFake(t, dir, 90*24*time.Hour)
		stop := f.run()
		time.Sleep(time.Hour)
		store(t, f.Manager, "ftp.example.org", 77, 90*24*time.Hour, 0)
		time.Sleep(2 * lookEvery)
		if got := stop(); !slices.Equal(got, []int64{1, 77}) || len(f.attempts) != 1 {
			t.Errorf("installed %v after %d attempts", got, len(f.attempts))
		}
		// A key that is not that of the certificate, as after a crash, is no certificate.
		name := f.storage.Filename(certmagic.StorageKeys.SitePrivateKey(f.issuerKey(), "ftp.example.org"))
		if err := os.WriteFile(name, []byte("cut off"), 0o600); err != nil {
			t.Fatal(err)
		}
		f = newFake(t, dir, 90*24*time.Hour)
		stop = f.run()
		time.Sleep(time.Minute)
		if got := stop(); !slices.Equal(got, []int64{1}) {
			t.Errorf("installed %v", got)
		}
	})
}

// Each answer of an authority comes with what to do about it.
func TestExplain(t *testing.T) {
	for kind, want := range map[string]string{
		acme.ProblemTypeConnection: "let port 80", acme.ProblemTypeUnauthorized: "something else answers on port 80",
		acme.ProblemTypeDNS: "create an A or AAAA record", acme.ProblemTypeCAA: "add this one, as in: CAA 0 issue",
		acme.ProblemTypeRateLimited: "ferry waits", acme.ProblemTypeRejectedIdentifier: "no certificates for such a name",
		acme.ProblemTypeInvalidContact: "--acme-email", acme.ProblemTypeUserActionRequired: "new terms", acme.ProblemTypeTLS: "let port 80",
	} {
		got := explain(&wayError{"http-01", acme.Problem{Type: kind, Detail: "details", Status: 403}}).Error()
		if !strings.HasPrefix(got, `http-01: the authority answers "details" (`) || !strings.Contains(got, want) {
			t.Errorf("%s: %s", kind, got)
		}
	}
	if got := explain(&wayError{"dns-01", acme.Problem{Type: acme.ProblemTypeUnauthorized}}).Error(); !strings.Contains(got, "all of them have the record") {
		t.Error(got)
	}
}
