package serve

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"ferry/auth"
	"ferry/ftp"
	"ferry/serve/users"
)

// admit returns an error that wraps auth.ErrDenied unless u may log in as c now. It is asked after
// the password, so that nobody learns of a user what only its owner should know.
func admit(u users.User, c ftp.Client, now time.Time) error {
	ip := c.Remote.Addr().Unmap()
	switch {
	case u.Disabled:
		return denied("the user is disabled")
	case !u.Expires.IsZero() && !now.Before(u.Expires):
		return denied("the user has expired")
	case contains(u.Deny, ip):
		return denied("its address %v is denied", ip)
	case len(u.Allow) > 0 && !contains(u.Allow, ip):
		return denied("its address %v is not allowed", ip)
	case !u.Hours.Open(now):
		return denied("it is outside of the hours of the user")
	case u.RequireTLS && !c.TLS:
		return denied("the user requires TLS")
	case len(u.ClientCerts) > 0 && !hasCertificate(u, c.Certificates):
		return denied("the client has no certificate of the user")
	}
	return nil
}

// denied is the error of a rule that is against a login.
func denied(format string, args ...any) error { return refusal(fmt.Sprintf(format, args...)) }

// A refusal is auth.ErrRefused by the rule that it says.
type refusal string

func (r refusal) Error() string { return string(r) }

func (r refusal) Unwrap() error { return auth.ErrRefused }

func contains(networks []netip.Prefix, ip netip.Addr) bool {
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// hasCertificate reports whether the first of the verified certificates is one of the user's.
func hasCertificate(u users.User, certs []*x509.Certificate) bool {
	if len(certs) == 0 {
		return false
	}
	leaf := certs[0]
	sum := sha256.Sum256(leaf.Raw)
	return slices.ContainsFunc(u.ClientCerts, func(want string) bool {
		kind, value, _ := strings.Cut(want, ":")
		switch kind {
		case "sha256":
			return strings.EqualFold(strings.ReplaceAll(value, ":", ""), hex.EncodeToString(sum[:]))
		case "cn":
			return leaf.Subject.CommonName == value
		case "san":
			name, isDNS := strings.CutPrefix(value, "dns:")
			return isDNS && slices.ContainsFunc(leaf.DNSNames, func(n string) bool { return strings.EqualFold(n, name) })
		}
		return false
	})
}
