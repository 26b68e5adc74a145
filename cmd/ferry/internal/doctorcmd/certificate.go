package doctorcmd

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
	"time"
)

const areaCertificate = "certificate"

// soonExpired is how long before its end a certificate should have been renewed.
const soonExpired = 14 * 24 * time.Hour

// Certificate looks at a certificate with its chain: names, dates, and whether clients believe it.
// hosts are the names by which clients reach the server; roots are whom they trust, nil for those
// of the system.
func Certificate(r *Report, file string, cert *tls.Certificate, hosts []string, roots *x509.CertPool, now time.Time) {
	var chain []*x509.Certificate
	for _, der := range cert.Certificate {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			r.Fail(areaCertificate, file, "get a new one", "%v", err)
			return
		}
		chain = append(chain, c)
	}
	if len(chain) == 0 {
		r.Fail(areaCertificate, file, "correct --cert", "there is no certificate in it")
		return
	}
	dates(r, file, chain[0], now)
	names(r, file, chain[0], hosts)
	trust(r, file, chain, roots, now)
}

func dates(r *Report, file string, c *x509.Certificate, now time.Time) {
	switch left := c.NotAfter.Sub(now); {
	case now.Before(c.NotBefore):
		r.Fail(areaCertificate, "dates", "look at the clock of this machine", "%s counts from %s on", file, c.NotBefore.Format(time.DateOnly))
	case left <= 0:
		r.Fail(areaCertificate, "dates", "renew it: clients refuse it", "%s has expired on %s", file, c.NotAfter.Format(time.DateOnly))
	case left < soonExpired:
		r.Warn(areaCertificate, "dates", "look why it was not renewed", "%s expires on %s", file, c.NotAfter.Format(time.DateOnly))
	default:
		r.OK(areaCertificate, "dates", "%s counts until %s", file, c.NotAfter.Format(time.DateOnly))
	}
}

func names(r *Report, file string, c *x509.Certificate, hosts []string) {
	all := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		all = append(all, ip.String())
	}
	text := strings.Join(all, ", ")
	if len(all) == 0 {
		r.Fail(areaCertificate, "names", "get one with the name of this server in it (subjectAltName)", "%s names no host", file)
		return
	}
	for _, host := range hosts {
		if c.VerifyHostname(host) != nil {
			r.Warn(areaCertificate, "names", "clients that use that name complain: get one for it, too", "%s is for %s, not for %s", file, text, host)
			return
		}
	}
	r.OK(areaCertificate, "names", "%s is for %s", file, text)
}

func trust(r *Report, file string, chain []*x509.Certificate, roots *x509.CertPool, now time.Time) {
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	selfSigned := chain[0].CheckSignatureFrom(chain[0]) == nil || chain[0].Subject.String() == chain[0].Issuer.String()
	switch {
	case err == nil:
		r.OK(areaCertificate, "chain", "%s leads to an authority that this machine trusts", file)
	case now.After(chain[0].NotAfter) || now.Before(chain[0].NotBefore):
		r.Skip(areaCertificate, "chain", "its dates come first")
	case selfSigned:
		r.Warn(areaCertificate, "chain", "clients ask whether to trust it; one of an authority they believe", "%s is signed by itself", file)
	case len(chain) == 1:
		r.Warn(areaCertificate, "chain", "put those of the authority behind it into the file (fullchain.pem)", "%s has no chain to an authority that this machine trusts", file)
	default:
		r.Warn(areaCertificate, "chain", "clients have to know the authority", "%s leads to no authority that this machine trusts", file)
	}
}
