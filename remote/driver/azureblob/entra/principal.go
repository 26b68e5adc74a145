package entra

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// assertionType is what a signed assertion is, which takes the place of a secret.
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// A Principal is an application that has an account in a tenant.
type Principal struct{ Tenant, ClientID string }

// Secret returns the credential of a principal with a password.
func Secret(client *http.Client, p Principal, secret string) (*Credential, error) {
	if secret == "" {
		return nil, errors.New("the secret is missing")
	}
	address, err := p.tokenURL()
	if err != nil {
		return nil, err
	}
	return newCredential(p.source(client, address, func() (string, url.Values, error) { return secret, nil, nil })), nil
}

// Certificate returns the credential of a principal with a certificate: the content of a file in
// PEM or PKCS12 that has it and its key. With chain, the certificates above it in the file are sent
// too.
func Certificate(client *http.Client, p Principal, file []byte, password string, chain bool) (*Credential, error) {
	address, err := p.tokenURL()
	if err != nil {
		return nil, err
	}
	pair, err := parsePair(file, password)
	if err != nil {
		return nil, err
	}
	return newCredential(p.source(client, address, func() (string, url.Values, error) {
		signed, err := pair.assertion(p.ClientID, address, chain)
		return "", asserted(signed), err
	})), nil
}

// Federated returns the credential of a principal that another issuer vouches for: path is a file
// with that one's token, which is read anew each time, as it is replaced there.
func Federated(client *http.Client, p Principal, path string) (*Credential, error) {
	address, err := p.tokenURL()
	if err != nil {
		return nil, err
	}
	return newCredential(p.source(client, address, func() (string, url.Values, error) {
		token, err := os.ReadFile(path)
		if err != nil {
			return "", nil, fmt.Errorf("the federated token cannot be read: %v", err) // it is not the remote that is missing
		}
		return "", asserted(strings.TrimSpace(string(token))), nil
	})), nil
}

func asserted(assertion string) url.Values {
	return url.Values{"client_assertion_type": {assertionType}, "client_assertion": {assertion}}
}

// tokenURL returns where the principal gets its tokens.
func (p Principal) tokenURL() (string, error) {
	switch {
	case p.ClientID == "":
		return "", errors.New("the client id is missing")
	case p.Tenant == "":
		return "", errors.New("the tenant is missing")
	case strings.EqualFold(p.Tenant, "adfs"):
		return "", errors.New("AD FS is not supported: use a tenant of Entra ID")
	case strings.ContainsFunc(p.Tenant, func(r rune) bool { return !isTenant(r) }):
		return "", errors.New("the tenant is neither an id nor a domain")
	}
	authority := cmp.Or(os.Getenv("AZURE_AUTHORITY_HOST"), "https://login.microsoftonline.com")
	u, err := url.Parse(authority)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return "", errors.New("AZURE_AUTHORITY_HOST is not the URL of a server: https://host")
	}
	return u.JoinPath(p.Tenant, "oauth2/v2.0/token").String(), nil
}

func isTenant(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '.'
}

// source asks for tokens at address, with what proof returns: a secret, or other parameters.
func (p Principal) source(client *http.Client, address string, proof func() (secret string, more url.Values, err error)) source {
	return func(ctx context.Context) (Token, error) {
		secret, more, err := proof()
		if err != nil {
			return Token{}, err
		}
		config := clientcredentials.Config{
			ClientID: p.ClientID, ClientSecret: secret, TokenURL: address, Scopes: []string{scope},
			EndpointParams: more, AuthStyle: oauth2.AuthStyleInParams,
		}
		t, err := config.Token(context.WithValue(ctx, oauth2.HTTPClient, client))
		if err != nil {
			return Token{}, refusal(err)
		}
		return Token{t.AccessToken, t.Expiry}, nil
	}
}

// refusal tells answers that refuse an identity from failures on the way to one.
func refusal(err error) error {
	var answer *oauth2.RetrieveError
	if !errors.As(err, &answer) || answer.Response == nil {
		return err
	}
	return answered(answer.Response.StatusCode, answer.ErrorCode)
}

// answered returns what an answer means that brings no token.
func answered(status int, code string) error {
	code = cmp.Or(code, http.StatusText(status))
	switch {
	case code == "temporarily_unavailable", status == http.StatusRequestTimeout, status == http.StatusTooManyRequests,
		status == http.StatusNotFound, status == http.StatusGone, status >= http.StatusInternalServerError:
		return fmt.Errorf("tokens are not to be had at the moment: %d %s", status, code)
	}
	return &RefusedError{code}
}
