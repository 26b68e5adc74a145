package gcs

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
)

// A Token is what a user granted to a program, the way rclone stores it.
type Token struct {
	JSON         string // access_token, token_type, refresh_token, expiry
	ClientID     string // of the program that the token was granted to
	ClientSecret string
	AuthURL      string // "" is Google's
	TokenURL     string // "" is Google's
}

// userToken uses what a user granted. It can be refreshed only as the program that it was granted
// to; without that program's id it works until it expires.
func userToken(ctx context.Context, t Token) (oauth2.TokenSource, error) {
	var token oauth2.Token
	if err := json.Unmarshal([]byte(t.JSON), &token); err != nil || token.AccessToken == "" && token.RefreshToken == "" {
		return nil, errors.New("gcs: option token is not the JSON of an OAuth token")
	}
	if t.ClientID == "" {
		if !token.Valid() {
			return nil, errors.New("gcs: the token has expired and cannot be refreshed without client_id and " +
				"client_secret: set both, or use a service account")
		}
		return oauth2.StaticTokenSource(&token), nil
	}
	config := oauth2.Config{
		ClientID:     t.ClientID,
		ClientSecret: t.ClientSecret,
		Scopes:       []string{scope},
		Endpoint: oauth2.Endpoint{
			AuthURL:  cmp.Or(t.AuthURL, google.Endpoint.AuthURL),
			TokenURL: cmp.Or(t.TokenURL, google.Endpoint.TokenURL),
		},
	}
	return config.TokenSource(ctx, &token), nil
}
