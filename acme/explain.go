package acme

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/mholt/acmez/v3/acme"
)

// wayError is an error of one way to prove that a name is ours.
type wayError struct {
	challenge string // its type
	err       error
}

func (e *wayError) Error() string { return e.challenge + ": " + e.err.Error() }
func (e *wayError) Unwrap() error { return e.err }

// heldError is the error of an authority that asks to be left alone for a while.
type heldError struct {
	err   error
	until time.Time
}

func (e *heldError) Error() string { return e.err.Error() }
func (e *heldError) Unwrap() error { return e.err }

// missingError says which record has to be created.
type missingError struct{ Record }

func (e *missingError) Error() string {
	return fmt.Sprintf("the record is not there yet: create %s", e.Record)
}

// explained is an error for a person: in its text, what to do.
type explained struct {
	text string
	err  error
}

func (e *explained) Error() string { return e.text }
func (e *explained) Unwrap() error { return e.err }

// refused reports whether it was the authority that gave no certificate: asking again soon is of no
// use, and counted there.
func refused(err error) bool {
	var problem acme.Problem
	return errors.As(err, &problem) && problem.Status/100 != 5
}

// explain returns err with a text that says what to do. Where several ways failed, it has a
// sentence for each.
func explain(err error) error {
	if err == nil {
		return nil
	}
	var parts []string
	for _, one := range split(err) {
		text, problem := plain(one)
		way := (*wayError)(nil)
		if errors.As(one, &way) {
			text = way.challenge + ": " + text
		} else {
			way = &wayError{}
		}
		if help := remedy(one, problem, way.challenge); help != "" {
			text += ": " + help
		}
		parts = append(parts, text)
	}
	text := strings.Join(parts, "; ")
	if held := (*heldError)(nil); errors.As(err, &held) {
		text += fmt.Sprintf("; not before %s", held.until.UTC().Format(time.RFC3339))
	}
	return &explained{text, err}
}

// plain returns the text of an error without what the libraries put around it, and what the
// authority has answered, if it is that.
func plain(err error) (string, acme.Problem) {
	var (
		problem acme.Problem
		local   *listenError
		missing *missingError
		way     *wayError
	)
	switch {
	case errors.As(err, &problem):
		kind := strings.TrimPrefix(problem.Type, acme.ProblemTypeNamespace)
		return fmt.Sprintf("the authority answers %q (%s)", strings.TrimSpace(problem.Detail), kind), problem
	case errors.As(err, &local):
		return local.Error(), problem
	case errors.As(err, &missing):
		return missing.Error(), problem
	case errors.As(err, &way):
		return way.err.Error(), problem
	}
	text := err.Error()
	if _, rest, ok := strings.Cut(text, "] Obtain: "); ok {
		text = rest
	} else if _, rest, ok := strings.Cut(text, "] Renew: "); ok {
		text = rest
	}
	return text, problem
}

// split returns the errors of the ways, or err alone.
func split(err error) []error {
	for e := err; e != nil; e = errors.Unwrap(e) {
		if joined, ok := e.(interface{ Unwrap() []error }); ok {
			return joined.Unwrap()
		}
	}
	return []error{err}
}

// remedy says what helps.
func remedy(err error, problem acme.Problem, challenge string) string {
	if problem.Type != "" {
		return problemRemedy(problem, challenge)
	}
	var (
		local   *listenError
		unknown x509.UnknownAuthorityError
		request *url.Error
		network *net.OpError
	)
	switch {
	case errors.As(err, &local):
		if errors.Is(err, syscall.EADDRINUSE) {
			return "or let what listens there pass the challenge on, and set --acme-http-addr to where; or use a DNS challenge"
		}
		return "or use a DNS challenge, which needs no port"
	case errors.As(err, &unknown):
		return "if it is an authority of your own, name its certificate with --acme-ca-root"
	case errors.As(err, &request), errors.As(err, &network):
		return "see whether this machine reaches the authority (--acme-ca) and the DNS"
	case strings.Contains(err.Error(), "failed storage check"): // it does not wrap
		return "see that the directory of the state can be written to and its disk has space (--cache-dir)"
	case strings.Contains(err.Error(), "no solvers available"):
		return "the authority does not offer this way for the name"
	}
	return ""
}

func problemRemedy(problem acme.Problem, challenge string) string {
	port, flag := "80", "--acme-http-addr"
	if challenge == acme.ChallengeTypeTLSALPN01 {
		port, flag = "443", "--acme-tls-alpn-addr"
	}
	byDNS := strings.HasPrefix(challenge, "dns")
	switch problem.Type {
	case acme.ProblemTypeConnection, acme.ProblemTypeTLS:
		return fmt.Sprintf("let port %s of the name's public address through to %s of this machine (firewall, port forwarding); "+
			"if that cannot be, use a DNS challenge", port, flag)
	case acme.ProblemTypeUnauthorized, acme.ProblemTypeIncorrectResponse:
		if byDNS {
			return "see which servers the zone has, and whether all of them have the record"
		}
		return fmt.Sprintf("something else answers on port %s of the name: see that it leads to this machine (A and AAAA records, port forwarding)", port)
	case acme.ProblemTypeDNS:
		return "create an A or AAAA record of the name, or mend the zone (DNSSEC, servers that do not answer)"
	case acme.ProblemTypeCAA:
		return "a CAA record of the domain names other authorities: add this one, as in: CAA 0 issue \"letsencrypt.org\""
	case acme.ProblemTypeRateLimited:
		return "it was asked for too many certificates, or failed too often; ferry waits; to try things out use its staging directory (--acme-ca)"
	case acme.ProblemTypeRejectedIdentifier, acme.ProblemTypeUnsupportedIdentifier:
		return "the authority has no certificates for such a name: use the public name of this server, or another --acme-ca"
	case acme.ProblemTypeExternalAccountRequired:
		return "get an account there and give its number and key with --acme-eab"
	case acme.ProblemTypeInvalidContact, acme.ProblemTypeUnsupportedContact:
		return "mend --acme-email"
	case acme.ProblemTypeUserActionRequired:
		return "agree to the new terms on the site of the authority"
	}
	return ""
}
