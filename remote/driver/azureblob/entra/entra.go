// Package entra gets tokens for Azure Storage from Microsoft Entra ID, for programs that nobody
// sits in front of: service principals, managed and workload identities, and the logins of az and
// azd.
package entra

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// resource is what tokens are asked for, and scope is the same in the newer protocol.
const (
	resource = "https://storage.azure.com"
	scope    = resource + "/.default"
)

const (
	// early is how long before its end a token is not used any more.
	early = 5 * time.Minute
	// unknownLife is how long a token is used that does not say when it ends.
	unknownLife = early + time.Minute
)

// A Token proves who its bearer is. It is a secret.
type Token struct {
	Value   string
	Expires time.Time
}

// A source gets a new token at each call.
type source func(context.Context) (Token, error)

// A Credential gives tokens, and keeps one for as long as it is valid. It can be used by several
// goroutines.
type Credential struct {
	get   source
	turn  chan struct{} // holds one while the field below is used
	token Token
}

func newCredential(get source) *Credential {
	return &Credential{get: get, turn: make(chan struct{}, 1)}
}

// Token returns a token that is valid for some minutes more. A *RefusedError says that the identity
// is not accepted; no error shows a secret.
func (c *Credential) Token(ctx context.Context) (Token, error) {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return Token{}, context.Cause(ctx)
	}
	defer func() { <-c.turn }()
	if time.Until(c.token.Expires) > early {
		return c.token, nil
	}
	t, err := c.get(ctx)
	if err != nil {
		return Token{}, err
	}
	if t.Expires.IsZero() {
		t.Expires = time.Now().Add(unknownLife)
	}
	c.token = t
	return t, nil
}

// A RefusedError is the answer that an identity is not accepted. It will be the same until somebody
// mends that.
type RefusedError struct{ Code string }

func (e *RefusedError) Error() string { return "the identity is refused: " + e.Code }

// NonRetriable tells the client for Azure not to try again.
func (e *RefusedError) NonRetriable() {}

// An absentError says that there is no identity of a kind here.
type absentError struct{ why string }

func (e *absentError) Error() string { return e.why }

// NonRetriable is as that of RefusedError.
func (e *absentError) NonRetriable() {}

func absent(format string, a ...any) error { return &absentError{fmt.Sprintf(format, a...)} }

func isAbsent(err error) bool {
	var none *absentError
	return errors.As(err, &none)
}
