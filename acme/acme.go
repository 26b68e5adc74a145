// Package acme gets certificates from an authority by the protocol ACME (RFC 8555), keeps them on
// disk and renews them while the server runs.
//
// acme.go is what a Manager is made of, run.go when it asks for a certificate, order.go and
// issuer.go how, explain.go what to do when it gets none. Each way to prove that a name is ours has
// a file: http01.go, tlsalpn01.go, dns01.go with program.go, rfc2136.go and acmedns.go, persist.go.
// stored.go is what is kept.
package acme

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"

	"ferry/events"
)

// LetsEncrypt is the directory of the authority that is asked by default.
const LetsEncrypt = certmagic.LetsEncryptProductionCA

// Options say for which names there are to be certificates, and how they are got.
type Options struct {
	Names   []string // of this server; *.example.org needs DNS
	Email   string   // where the authority may write to; "" = nowhere
	CA      string   // URL of its directory; "" = LetsEncrypt
	Roots   *x509.CertPool
	Profile string // of certificates, as the authority calls it; "" = its default
	KeyType string // KeyP256 or KeyRSA2048; "" = KeyP256
	// External is an account that the authority has given out elsewhere (external account binding).
	External External

	Dir string // where accounts, keys and certificates are kept; made if it is not there

	HTTPAddr    string // where HTTP-01 is answered; "" = not at all
	TLSALPNAddr string // where TLS-ALPN-01 is answered; "" = not at all
	// Listen opens these. Both are open only while the authority asks.
	Listen func(ctx context.Context, addr string) ([]net.Listener, error)

	DNS       Provider // changes records for DNS-01, which then is the only way; nil = none
	Persist   bool     // DNS-PERSIST-01 is the only way
	Resolvers []string // host:port that are asked about records; none = those of the system

	Log    *slog.Logger   // nil = nothing is logged
	Events *events.Stream // hears of each certificate and each failure
}

// External is the number and the key of an account of an authority, the key in base64url.
type External struct{ ID, Key string }

// Types of private keys.
const (
	KeyP256    = "p256"
	KeyRSA2048 = "rsa2048" // for clients that know nothing else
)

// A Manager has a certificate for each of its names. Its methods may be called concurrently.
type Manager struct {
	o       Options
	storage *certmagic.FileStorage
	names   []*managed
	turn    chan struct{} // held by who asks the authority: the ports of the challenges are used by one

	// What asks the authority; tests put others here.
	obtain      func(ctx context.Context, name string, old *x509.Certificate) error
	renewalInfo func(ctx context.Context, leaf *x509.Certificate) (renewal, error)
}

// managed is one name.
type managed struct {
	name  string
	retry chan struct{} // asks for an attempt

	mu      sync.Mutex
	current *tls.Certificate // guarded by mu: what clients are shown
	stamp   time.Time        // guarded by mu: of the stored certificate; zero with a stand-in
	state   state            // guarded by mu
}

// Status is what there is to say of a name.
type Status struct {
	Name    string    `json:"name"`
	Expires time.Time `json:"expires,omitzero"` // zero = there is no certificate of the authority yet
	Issuer  string    `json:"issuer,omitempty"`
	Renew   time.Time `json:"renew,omitzero"`   // when it is to be renewed
	Tried   time.Time `json:"tried,omitzero"`   // the last time
	Error   string    `json:"error,omitempty"`  // of that; "" = it succeeded
	Next    time.Time `json:"next,omitzero"`    // when it is tried again after that
	StandIn bool      `json:"standIn,omitzero"` // clients are shown a certificate that nobody vouches for
}

// New reads what is stored. It asks nobody: Run does.
func New(o Options) (*Manager, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.CA == "" {
		o.CA = LetsEncrypt
	}
	if o.HTTPAddr == "" && o.TLSALPNAddr == "" && o.DNS == nil && !o.Persist {
		return nil, errors.New("there is no way to prove that a name is ours: HTTP-01 and TLS-ALPN-01 are off, and so is DNS")
	}
	if err := checkNames(o.Names, o.DNS != nil || o.Persist); err != nil {
		return nil, err
	}
	m := &Manager{o: o, storage: &certmagic.FileStorage{Path: o.Dir}, turn: make(chan struct{}, 1)}
	m.obtain, m.renewalInfo = m.order, m.askRenewal
	for _, name := range o.Names {
		n := &managed{name: name, retry: make(chan struct{}, 1)}
		if err := n.open(m); err != nil {
			return nil, err
		}
		m.names = append(m.names, n)
	}
	return m, nil
}

// open reads the certificate of n and what is known of it, and makes a stand-in where there is
// none.
func (n *managed) open(m *Manager) (err error) {
	n.state = m.loadState(n.name)
	if soon := n.state.Tried.Add(time.Minute); !n.state.Held && n.state.Next.After(soon) {
		n.state.Next = soon // who starts it again may have mended the cause
	}
	n.current, n.stamp, err = m.load(n.name)
	if err == nil {
		return nil
	}
	m.o.Log.Debug("no stored certificate", "name", n.name, "error", err)
	n.stamp = time.Time{}
	n.current, err = standIn(n.name)
	return err
}

// Names are the names that m has certificates for.
func (m *Manager) Names() []string { return m.o.Names }

// Certificate returns what clients are to be shown for one of Names: until the authority has given
// a certificate, a stand-in that nobody vouches for.
func (m *Manager) Certificate(name string) *tls.Certificate {
	for _, n := range m.names {
		if n.name == name {
			n.mu.Lock()
			defer n.mu.Unlock()
			return n.current
		}
	}
	return nil
}

// Status returns what there is to say of each name.
func (m *Manager) Status() []Status {
	var all []Status
	for _, n := range m.names {
		all = append(all, n.status())
	}
	return all
}

func (n *managed) status() Status {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := Status{Name: n.name, Tried: n.state.Tried, Error: n.state.Error, Next: n.state.Next, StandIn: n.stamp.IsZero()}
	if !s.StandIn {
		leaf := n.current.Leaf
		s.Expires, s.Issuer = leaf.NotAfter, leaf.Issuer.CommonName
		s.Renew = n.state.due(leaf)
	}
	return s
}

// Retry has names that have failed tried again now, unless the authority has said to wait.
func (m *Manager) Retry() {
	for _, n := range m.names {
		select {
		case n.retry <- struct{}{}:
		default: // it is asked for already
		}
	}
}
