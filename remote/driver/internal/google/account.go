package google

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
)

// An Account is who is not a person: the first one that is named counts.
type Account struct {
	Driver  string // for errors
	JSON    string // the key of a service account, the content of its file
	File    string // that has such a key
	Env     bool   // what the environment offers: a file, the metadata server
	Subject string // the user on whose behalf a service account acts; "" = itself
	Scopes  []string
}

// Tokens returns the source of the account's tokens, nil where none is named. No error shows any of
// a key.
func (a Account) Tokens(ctx context.Context) (oauth2.TokenSource, error) {
	switch {
	case a.JSON != "":
		return a.service(ctx, "service_account_credentials", []byte(a.JSON))
	case a.File != "":
		key, err := os.ReadFile(a.File)
		if err != nil {
			return nil, fmt.Errorf("%s: service_account_file cannot be read: %v", a.Driver, err) // it is not the remote that is missing
		}
		return a.service(ctx, "service_account_file", key)
	case a.Env:
		source, err := google.DefaultTokenSource(ctx, a.Scopes...)
		if err != nil {
			return nil, errors.New(a.Driver + ": env_auth is set, but the environment has no credentials: set " +
				"GOOGLE_APPLICATION_CREDENTIALS to the file of a service account")
		}
		return source, nil
	}
	return nil, nil
}

// service reads the key that the option called name holds.
func (a Account) service(ctx context.Context, name string, key []byte) (oauth2.TokenSource, error) {
	config, err := google.JWTConfigFromJSON(key, a.Scopes...)
	if err != nil {
		return nil, fmt.Errorf("%s: option %s is not the JSON key of a service account", a.Driver, name)
	}
	config.Subject = a.Subject
	return config.TokenSource(ctx), nil
}
