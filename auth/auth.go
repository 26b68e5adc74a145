// Package auth decides who may log in, and as whom.
//
// The files, in reading order:
//
//	auth.go          Authenticator
//	single.go        one user
//	hash.go          hashes of passwords: hashform.go which are accepted, hashold.go old kinds,
//	                 hashcost.go what they may cost
//	verifier.go      verifies few passwords at a time and remembers them; flights.go, slots.go
//	htpasswd.go      a file of users; livefile.go: reads it again
package auth

import (
	"context"
	"errors"
	"net/netip"
)

// ErrDenied is returned for a login that is not allowed. It does not reveal whether user or
// password was wrong.
var ErrDenied = errors.New("wrong user or password")

// A Login holds the credentials of a client.
type Login struct {
	User, Password string
	IP             netip.Addr // of the client
}

// An Identity is an authenticated client.
type Identity struct {
	User string
	// Owner is the owner of unfinished uploads, together with the client address.
	Owner string
}

// An Authenticator decides about logins. Its method may be called concurrently.
type Authenticator interface {
	// Authenticate returns the identity of the client. ErrDenied, possibly wrapped, means that the
	// login is refused; any other error means that it could not be checked.
	Authenticate(ctx context.Context, l Login) (Identity, error)
}
