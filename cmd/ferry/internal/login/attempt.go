package login

import (
	"context"
	"errors"

	"golang.org/x/oauth2"
)

// An attempt is a login under way.
type attempt struct {
	Options
	state    string
	verifier string
	results  chan result // of the browser, and of what is pasted
}

type result struct {
	token *oauth2.Token
	err   error
}

// exchange has the provider grant a token for a code.
func (a *attempt) exchange(ctx context.Context, code string) (*oauth2.Token, error) {
	token, err := a.Config.Exchange(ctx, code, oauth2.VerifierOption(a.verifier))
	if err != nil {
		return nil, failure(err)
	}
	return complete(token)
}

// complete refuses a token that ends without one to refresh it.
func complete(token *oauth2.Token) (*oauth2.Token, error) {
	if token.RefreshToken == "" && !token.Expiry.IsZero() {
		return nil, errors.New("the provider gives no refresh token: allow offline access to the OAuth client, " +
			"or withdraw its access at the provider, and log in again")
	}
	return token, nil
}
