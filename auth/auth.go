// Package auth decides who may log in, and as whom.
package auth

import (
	"context"
	"errors"
	"net/netip"
)

// ErrDenied is the answer to a login that is not allowed. It does not tell what was wrong.
var ErrDenied = errors.New("wrong user or password")

// A Login is what a client presents.
type Login struct {
	User, Password string
	IP             netip.Addr // of the client
}

// An Identity is who a client turned out to be.
type Identity struct {
	User string
	// Owner is whom unfinished uploads belong to, each at the address that it came from.
	Owner string
}

// An Authenticator decides about logins. Its method may be called concurrently.
type Authenticator interface {
	// Authenticate returns who the client is. ErrDenied, possibly wrapped, means that it may not
	// come in; any other error means that this could not be found out.
	Authenticate(ctx context.Context, l Login) (Identity, error)
}
