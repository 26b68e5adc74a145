package acme

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3"
	"github.com/mholt/acmez/v3/acme"
)

// An issuer gets one certificate. It is a certmagic.Issuer.
type issuer struct {
	m      *Manager
	name   string
	old    *x509.Certificate // to be replaced; nil = none
	http   *http.Client
	client *acme.Client
	held   *patience
}

// A way is one to prove that a name is ours.
type way struct {
	challenge string // its type
	solver    acmez.Solver
}

// newIssuer returns an issuer for a certificate of name. Who has it closes the idle connections of
// its http at last.
func (m *Manager) newIssuer(name string, old *x509.Certificate) *issuer {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: m.o.Roots}
	held := &patience{next: transport}
	client := &http.Client{Transport: held, Timeout: 30 * time.Second}
	return &issuer{
		m: m, name: name, old: old, http: client, held: held,
		client: &acme.Client{Directory: m.o.CA, HTTPClient: client, UserAgent: "ferry"},
	}
}

// ways are those that the options allow, the most usual first.
func (i *issuer) ways(account acme.Account) []way {
	o := i.m.o
	switch {
	case o.Persist:
		return []way{{acme.ChallengeTypeDNSPersist01, &persistSolver{i.m, account}}}
	case o.DNS != nil:
		return []way{{acme.ChallengeTypeDNS01, dnsSolver(o)}}
	}
	var all []way
	if o.HTTPAddr != "" {
		all = append(all, way{acme.ChallengeTypeHTTP01, &httpSolver{listen: o.Listen, addr: o.HTTPAddr}})
	}
	if o.TLSALPNAddr != "" {
		all = append(all, way{acme.ChallengeTypeTLSALPN01, &alpnSolver{listen: o.Listen, addr: o.TLSALPNAddr}})
	}
	return all
}

// IssuerKey is part of what certmagic needs.
func (i *issuer) IssuerKey() string { return i.m.issuerKey() }

// Issue is part of what certmagic needs: it gets a certificate for a request.
func (i *issuer) Issue(ctx context.Context, csr *x509.CertificateRequest) (*certmagic.IssuedCertificate, error) {
	if stored, _, err := i.m.load(i.name); err == nil && i.old != nil && !stored.Leaf.Equal(i.old) {
		return nil, errRenewed
	}
	issued, err := i.issue(ctx, csr)
	var problem acme.Problem
	if errors.As(err, &problem) && problem.Type == acme.ProblemTypeAccountDoesNotExist {
		if err = i.forget(ctx); err == nil { // the authority has
			issued, err = i.issue(ctx, csr)
		}
	}
	if until := i.held.until(); err != nil && !until.IsZero() {
		err = &heldError{err, until}
	}
	return issued, err
}

// issue tries one way after the other.
func (i *issuer) issue(ctx context.Context, csr *x509.CertificateRequest) (*certmagic.IssuedCertificate, error) {
	account, err := i.account(ctx)
	if err != nil {
		return nil, fmt.Errorf("the account: %w", err)
	}
	params, err := acmez.OrderParametersFromCSR(account, csr)
	if err != nil {
		return nil, err
	}
	params.Profile, params.Replaces = i.m.o.Profile, i.old
	var errs error
	for _, w := range i.ways(account) {
		client := &acmez.Client{Client: i.client, ChallengeSolvers: map[string]acmez.Solver{w.challenge: w.solver}}
		chains, err := client.ObtainCertificate(ctx, params)
		if err == nil {
			return &certmagic.IssuedCertificate{Certificate: chains[0].ChainPEM, Metadata: chains[0]}, nil
		}
		errs = errors.Join(errs, &wayError{w.challenge, err})
		if ctx.Err() != nil || !otherWay(err) {
			break
		}
	}
	return nil, errs
}

// otherWay reports whether another way may succeed after err.
func otherWay(err error) bool {
	if local := (*listenError)(nil); errors.As(err, &local) {
		return true
	}
	if network := (*url.Error)(nil); errors.As(err, &network) {
		return false
	}
	var problem acme.Problem
	if !errors.As(err, &problem) {
		return true // this one is not offered
	}
	switch problem.Type {
	case acme.ProblemTypeConnection, acme.ProblemTypeUnauthorized, acme.ProblemTypeTLS, acme.ProblemTypeDNS, acme.ProblemTypeIncorrectResponse:
		return true
	}
	return false
}

// askRenewal asks the authority when to renew a certificate.
func (m *Manager) askRenewal(ctx context.Context, leaf *x509.Certificate) (renewal, error) {
	i := m.newIssuer("", nil)
	defer i.http.CloseIdleConnections()
	info, err := i.client.GetRenewalInfo(ctx, leaf)
	if err != nil {
		return renewal{}, err
	}
	r := renewal{at: info.SelectedTime}
	if info.RetryAfter != nil {
		r.ask = *info.RetryAfter
	}
	return r, nil
}

// patience is a transport that remembers how long the authority asked to leave it alone.
type patience struct {
	next *http.Transport

	mu   sync.Mutex
	time time.Time // guarded by mu
}

// RoundTrip implements http.RoundTripper.
func (p *patience) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := p.next.RoundTrip(r)
	if err == nil && (resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable) {
		p.mu.Lock()
		defer p.mu.Unlock()
		after := resp.Header.Get("Retry-After")
		if seconds, err := strconv.Atoi(after); err == nil {
			p.time = time.Now().Add(time.Duration(seconds) * time.Second)
		} else if at, err := http.ParseTime(after); err == nil {
			p.time = at
		}
	}
	return resp, err
}

// CloseIdleConnections is called by that of http.Client.
func (p *patience) CloseIdleConnections() { p.next.CloseIdleConnections() }

func (p *patience) until() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.time
}
