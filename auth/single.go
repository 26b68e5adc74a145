package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
)

// Single is an Authenticator for one user.
type Single struct {
	user, password [sha256.Size]byte
	anyPassword    bool
}

// NewSingle returns the Authenticator for one user name and password. An empty password accepts
// every password; the name must still match.
func NewSingle(user, password string) *Single {
	return &Single{
		user:        sha256.Sum256([]byte(user)),
		password:    sha256.Sum256([]byte(password)),
		anyPassword: password == "",
	}
}

// Authenticate compares name and password in constant time. If any password is accepted, many
// people may share the user, so the owner is the user at one address: strangers do not see each
// other's unfinished uploads.
func (s *Single) Authenticate(_ context.Context, l Login) (Identity, error) {
	user, password := sha256.Sum256([]byte(l.User)), sha256.Sum256([]byte(l.Password))
	ok := subtle.ConstantTimeCompare(user[:], s.user[:])
	match := subtle.ConstantTimeCompare(password[:], s.password[:])
	if s.anyPassword {
		match = 1
	}
	switch {
	case ok != 1:
		return Identity{}, ErrUnknownUser
	case match != 1:
		return Identity{}, ErrDenied
	}
	id := Identity{User: l.User, Owner: l.User}
	if s.anyPassword {
		id.Owner += "@" + l.IP.Unmap().String()
	}
	return id, nil
}
