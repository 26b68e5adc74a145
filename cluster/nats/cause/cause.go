// Package cause says in the words of people why servers of NATS are not reached, or do not do what
// they are asked.
package cause

import (
	"crypto/tls"
	"errors"
	"net/url"
	"strings"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// An explained error has a text of its own.
type explained struct {
	text string
	err  error
}

func (e *explained) Error() string { return e.text }

// Unwrap returns what the library has said.
func (e *explained) Unwrap() error { return e.err }

// Of returns err with a text that says what is wrong, and no address in it, which may hold a
// password. It is the same error for errors.Is and errors.As, and nil if err is.
func Of(err error) error {
	var already *explained
	if err == nil || errors.As(err, &already) {
		return err
	}
	return &explained{text(err), err}
}

func text(err error) string {
	var at *url.Error
	var api *jetstream.APIError
	var untrusted *tls.CertificateVerificationError
	switch said := strings.ToLower(err.Error()); {
	case errors.As(err, &api):
		return "it answers: " + api.Description
	case errors.Is(err, natsgo.ErrAuthorization), strings.Contains(said, "authorization violation"):
		return "the user, password or credentials are refused"
	case errors.Is(err, natsgo.ErrAuthExpired), errors.Is(err, natsgo.ErrAccountAuthExpired), errors.Is(err, natsgo.ErrAuthRevoked):
		return "the credentials have expired, or were revoked"
	case errors.Is(err, natsgo.ErrPermissionViolation):
		_, what, _ := strings.Cut(err.Error(), "Violation for ")
		return "the user lacks a right: " + what
	case errors.As(err, &untrusted):
		return "its certificate is not trusted: " + untrusted.Err.Error()
	case errors.Is(err, natsgo.ErrSecureConnWanted):
		return "it does not speak TLS"
	case errors.Is(err, natsgo.ErrNoInfoReceived):
		return "what answers there is no server of NATS"
	case errors.Is(err, natsgo.ErrNoServers):
		return "no server answers"
	case errors.As(err, &at):
		return at.Err.Error()
	}
	return strings.TrimPrefix(err.Error(), "nats: ")
}
