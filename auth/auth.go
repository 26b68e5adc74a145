// Package auth decides who may log in, and as whom.
//
// The files, in reading order:
//
//	auth.go          Authenticator
//	single.go        one user
//	hash.go          hashes of passwords: hashform.go which are accepted, hashold.go old kinds,
//	                 hashcost.go what they may cost
//	verifier.go      verifies few passwords at a time and remembers them; flights.go, slots.go,
//	                 proof.go
//	htpasswd.go      a file of users; livefile.go: reads it again
//	passwd.go        the files of ProFTPD and Pure-FTPd; purefields.go
//	recall.go        tells that an answer was remembered
//	ask.go           asks others, a few at a time, and remembers their answers
//	grant.go         what they say that a user gets
//	program.go       a program for rclone; rcloneanswer.go: its JSON
//	url.go           a service; sftpgoanswer.go, awsanswer.go: other JSON
package auth

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
)

// ErrDenied is returned for a login that is not allowed. It does not reveal whether user or
// password was wrong.
var ErrDenied = errors.New("wrong user or password")

// Reasons of ErrDenied, for logs and for those who count attacks. The client learns nothing of
// them.
var (
	ErrUnknownUser = fmt.Errorf("%w: there is no such user", ErrDenied)
	ErrRefused     = fmt.Errorf("%w: refused by a rule", ErrDenied) // as for a user who is disabled
)

// A Login holds the credentials of a client.
type Login struct {
	User, Password string
	IP             netip.Addr // of the client
	Local          netip.Addr // of the server's end of the connection; the zero value: not known
	TLS            bool       // the control connection is encrypted
}

// An Identity is an authenticated client.
type Identity struct {
	User string
	// Owner is the owner of unfinished uploads, together with the client address.
	Owner string
	// Grant is what the source says that the user gets; nil = nothing.
	Grant *Grant
}

// An Authenticator decides about logins. Its method may be called concurrently.
type Authenticator interface {
	// Authenticate returns the identity of the client. ErrDenied, possibly wrapped, means that the
	// login is refused; any other error means that it could not be checked.
	Authenticate(ctx context.Context, l Login) (Identity, error)
}
