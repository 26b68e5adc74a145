package registry

import (
	"context"
	"net/http"

	"golang.org/x/oauth2"

	"ferry/config"
	"ferry/registry/tokens"
)

// oauthOptions are the options of types that users, or clients themselves, log in to at a provider.
func oauthOptions() []config.Option {
	return append(userOptions(), config.Option{Name: "client_credentials", Default: "false", Help: "Log in as the OAuth client itself, not as a user"})
}

// userOptions are those of types that only users log in to.
func userOptions() []config.Option {
	return []config.Option{
		{Name: "client_id", Help: "The OAuth client: the name of the program at the provider; without one a token is used until it ends"},
		{Name: "client_secret", Secret: true, Help: "Secret of the OAuth client"},
		{Name: "token", Secret: true, Help: "The token of the login, as JSON: ferry config reconnect makes it, and refreshed ones are written back"},
		{Name: "auth_url", Help: "Where users are asked; empty is the provider's own"},
		{Name: "token_url", Help: "Where tokens are granted and refreshed; empty is the provider's own"},
	}
}

// login is the command that logs in to the remote again.
func (v *values) login() string { return tokens.Command(v.remote) }

// tokens returns the tokens of the login that the options of oauthOptions hold. The zero endpoint
// is that of the table of logins. They are refreshed when it is time, and written back where the
// option token stands in the configuration file. What is missing is kept as the error of v.
func (v *values) tokens(endpoint oauth2.Endpoint, scopes ...string) oauth2.TokenSource {
	l := logins()[v.typ]
	if endpoint != (oauth2.Endpoint{}) {
		l.endpoint, l.at = endpoint, nil
	}
	transport := v.env.Network.Transport(1)
	transport.DisableKeepAlives = true // tokens are refreshed once an hour
	o := tokens.Options{
		Remote: v.remote,
		Config: oauth2.Config{ClientID: v.str("client_id"), ClientSecret: v.str("client_secret"), Endpoint: l.endpointOf(v.options), Scopes: scopes},
		Token:  v.str("token"), AsClient: v.boolean("client_credentials"),
		HTTP: &http.Client{Transport: transport}, Warn: v.warn, Advice: l.advice(v.remote, v.str("client_id")),
	}
	if section := v.sections["token"]; section != "" && v.env.Update != nil {
		update := v.env.Update
		o.Update = func(ctx context.Context, change func(string) (string, error)) error {
			return update(ctx, section, "token", change)
		}
	}
	source, err := tokens.New(o)
	if err != nil && v.err == nil {
		v.err = err
	}
	return source
}
