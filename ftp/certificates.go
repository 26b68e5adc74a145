package ftp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
)

// Certificates are those of a server that has several names. Their GetCertificate goes into a
// tls.Config.
type Certificates []*KeyPair

// GetCertificate returns the certificate for the name of the server that the client has given: one
// whose key the client can use before others, and one for exactly that name before one for a
// pattern; else the first in order. A client that gives no name, or one that no certificate is for,
// gets the first certificate.
func (c Certificates) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if len(c) == 0 {
		return nil, errors.New("there is no certificate")
	}
	best, score := c[0].current.Load(), 0
	if len(c) == 1 || hello == nil || hello.ServerName == "" {
		return best, nil
	}
	for _, pair := range c {
		cert := pair.current.Load()
		match := fit(cert.Leaf, hello.ServerName)
		if match > 0 && hello.SupportsCertificate(cert) == nil {
			match += exactName
		}
		if match > score {
			best, score = cert, match
		}
	}
	return best, nil
}

// A CertificateList is Certificates that may become others while a server shows them. Its
// GetCertificate goes into a tls.Config. Its methods may be called concurrently, and but for Set on
// nil, which has none.
type CertificateList struct{ all atomic.Pointer[Certificates] }

// Set has clients that connect from now on see one of all. Sessions go on with the certificate that
// they have seen.
func (l *CertificateList) Set(all Certificates) { l.all.Store(&all) }

// All returns those that hold now. They are not to be changed.
func (l *CertificateList) All() Certificates {
	if l == nil {
		return nil
	}
	if all := l.all.Load(); all != nil {
		return *all
	}
	return nil
}

// GetCertificate is that of the Certificates that hold now.
func (l *CertificateList) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	return l.All().GetCertificate(hello)
}

// Reload reads the files of all again. Those that are not a valid pair stay as they are, and the
// error says which.
func (c Certificates) Reload() error {
	var failed []error
	for _, pair := range c {
		failed = append(failed, pair.Reload())
	}
	return errors.Join(failed...)
}

// How well a certificate fits a name.
const (
	noName      = iota
	patternName // by a pattern such as *.example.org
	exactName
)

// fit returns how well a certificate fits a name or address, IPv6 in brackets.
func fit(leaf *x509.Certificate, name string) int {
	name = strings.TrimSuffix(name, ".")
	switch {
	case leaf == nil || leaf.VerifyHostname(name) != nil:
		return noName
	case slices.ContainsFunc(leaf.DNSNames, func(n string) bool { return strings.EqualFold(n, name) }), len(leaf.DNSNames) == 0:
		return exactName
	}
	return patternName
}

// virtualHost is the name by which a client knows this server. The certificate of the control
// connection is shown on data connections, too, whatever name they give: clients compare.
type virtualHost struct {
	host  string           // argument of HOST (RFC 7151), "" without
	cert  *tls.Certificate // shown in the handshake of the control connection; nil before
	bySNI bool             // the client has given a name there
}

// certificateGetter is GetCertificate of a tls.Config.
type certificateGetter = func(*tls.ClientHelloInfo) (*tls.Certificate, error)

// choosing returns get for the connections of sessions. If a client gives no name by SNI, get sees
// the argument of HOST in its place.
func choosing(get certificateGetter) certificateGetter {
	if get == nil {
		return nil
	}
	return func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if ctx := hello.Context(); ctx != nil {
			if v, is := ctx.Value(virtualHostKey{}).(*virtualHost); is {
				return v.choose(hello, get)
			}
		}
		return get(hello)
	}
}

type virtualHostKey struct{}

// in returns ctx for a handshake that is to choose by v, which may be nil.
func (v *virtualHost) in(ctx context.Context) context.Context {
	if v == nil {
		return ctx
	}
	return context.WithValue(ctx, virtualHostKey{}, v)
}

// name returns the argument of HOST, "" without.
func (v *virtualHost) name() string {
	if v == nil {
		return ""
	}
	return v.host
}

// choose returns the certificate to show.
func (v *virtualHost) choose(hello *tls.ClientHelloInfo, get certificateGetter) (cert *tls.Certificate, err error) {
	if v.cert != nil {
		return v.cert, nil
	}
	v.bySNI = hello.ServerName != ""
	if !v.bySNI && v.host != "" {
		named := *hello
		named.ServerName = v.host
		hello = &named
	}
	v.cert, err = get(hello)
	return v.cert, err
}

// denies reports whether name is another host than the one for which the client has asked by SNI
// and was shown a certificate: one with a certificate of its own.
func (v *virtualHost) denies(name string, get certificateGetter) bool {
	if get == nil || v.cert == nil || !v.bySNI || fit(v.cert.Leaf, name) != noName {
		return false
	}
	own, err := get(&tls.ClientHelloInfo{ServerName: name})
	return err == nil && own != nil && fit(own.Leaf, name) != noName
}
